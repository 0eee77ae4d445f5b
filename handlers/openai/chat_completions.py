"""`POST /v1/chat/completions`. Owns the order of the steps; what they mean is `handlers.wire`'s business."""

from starlette.responses import Response

from handlers import generations
from handlers.context import Call
from handlers.media import load_media
from handlers.streaming import json_response, sse_response
from handlers.wire.openai import chat_completions as wire
from handlers.wire.openai.envelope import new_envelope
from handlers.wire.openai.messages import media_sources
from handlers.wire.openai.stream_options import includes_usage
from handlers.wire.types.openai import CreateChatCompletionRequest


async def create_chat_completion(call: Call[CreateChatCompletionRequest]) -> Response:
    """createChatCompletion: answer a conversation, whole or as server-sent events."""
    body = call.body
    entry = call.engine.model(body["model"])
    media = await load_media(call, entry, media_sources(body["messages"]))
    request = wire.parse(body, entry, media)
    generation = await generations.begin(call, request, wire.names(body))
    envelope = new_envelope(wire.ID_PREFIX, body["model"], entry)
    form = wire.form(body, call.config.reasoning_field)
    if not body.get("stream"):
        result = await generations.finish(call, generation)
        return json_response(wire.render(result, envelope, **form))
    events = generations.Noted(call, generation)
    chunks = wire.chunks(events, envelope, n=request.n, include_usage=includes_usage(body), **form)
    return sse_response(call, generation, chunks)
