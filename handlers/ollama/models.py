"""`GET /api/tags`, `GET /api/ps` and `POST /api/show`."""

import asyncio

from starlette.responses import Response

from handlers.context import Call
from handlers.streaming import json_response, whole
from handlers.wire.ollama import models as wire
from handlers.wire.types.ollama import ShowRequest


async def list_models(call: Call[None]) -> Response:
    """Every model that a request may name."""
    entries = call.engine.models()
    digests = await whole(call, asyncio.gather(*(call.engine.digest(entry.name) for entry in entries)))
    return json_response(wire.render_list(zip(entries, digests, strict=True)))


async def list_loaded(call: Call[None]) -> Response:
    """The models in memory."""
    loaded = call.engine.loaded()
    digests = await whole(call, asyncio.gather(*(call.engine.digest(model.name) for model in loaded)))
    return json_response(wire.render_loaded(zip(loaded, digests, strict=True)))


async def show(call: Call[ShowRequest]) -> Response:
    """What one model's file says, with its vocabulary and tensors if `verbose`."""
    entry = call.engine.model(wire.shown_model(call.body))
    full_values = await asyncio.to_thread(entry.metadata.full_values) if call.body.get("verbose") else None
    return json_response(wire.render_show(entry, full_values))
