"""`GET /v1/models` and `GET /v1/models/{model}`."""

from starlette.responses import Response

from handlers.context import Call
from handlers.streaming import json_response
from handlers.wire.openai import models as wire


async def list_models(call: Call[None]) -> Response:
    """listModels: every model that a request may name."""
    return json_response(wire.render_list(call.engine.models()))


async def retrieve_model(call: Call[None]) -> Response:
    """retrieveModel: one model by its id."""
    return json_response(wire.render(call.engine.model(call.path["model"])))
