"""`POST /v1/responses`. Owns the order of the steps; what they mean is `handlers.wire`'s business."""

from starlette.responses import Response

from handlers import generations
from handlers.context import Call
from handlers.media import load_media
from handlers.streaming import json_response, named_sse_response, whole
from handlers.wire.openai import responses as wire
from handlers.wire.openai.envelope import new_envelope
from handlers.wire.openai.responses_input import parse_input
from handlers.wire.openai.responses_output import Answer
from handlers.wire.types.openai import CreateResponse


async def create_response(call: Call[CreateResponse]) -> Response:
    """createResponse: answer a conversation item by item, whole or as server-sent events."""
    body = call.body
    entry = call.engine.model(body["model"])
    conversation = parse_input(body)
    media = await load_media(call, entry, conversation.media)
    request = wire.parse(body, entry, conversation, media)
    generation = await generations.begin(call, request, wire.names(body, conversation))
    answer = Answer(wire.form(body, new_envelope(wire.ID_PREFIX, body["model"], entry)))
    events = generations.Noted(call, generation)
    if body.get("stream"):
        return named_sse_response(call, generation, answer.events(events), answer.failed)
    async with generation:
        return json_response(await whole(call, answer.whole(events)))
