"""`POST /api/chat`. Owns the order of the steps; what they mean is `handlers.wire`'s business."""

from starlette.responses import Response

from handlers import generations
from handlers.context import Call
from handlers.media import load_media
from handlers.ollama.residency import change_residency
from handlers.streaming import json_response, ndjson_response
from handlers.wire.nullable import or_default
from handlers.wire.ollama import chat as wire
from handlers.wire.ollama.messages import media_sources
from handlers.wire.types.ollama import ChatRequest


async def chat(call: Call[ChatRequest]) -> Response:
    """Answer a conversation, in lines of JSON unless `stream` is false; without messages, load or unload the model."""
    body = call.body
    entry = call.engine.model(body["model"])
    media = await load_media(call, entry, media_sources(body["messages"] or ()))
    request = wire.parse(body, entry, media)
    if not wire.has_messages(body):
        return json_response(wire.render_residency(body["model"], await change_residency(call, request)))
    generation = await generations.begin(call, request)
    if or_default(body.get("stream"), True):
        return ndjson_response(call, generation, wire.chunks(generations.Noted(call, generation), body))
    return json_response(wire.render(await generations.finish(call, generation), body))
