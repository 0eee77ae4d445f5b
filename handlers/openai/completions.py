"""`POST /v1/completions`. Owns the order of the steps; what they mean is `handlers.wire`'s business."""

from starlette.responses import Response

from handlers import generations
from handlers.context import Call
from handlers.streaming import json_response, sse_response
from handlers.wire.openai import completions as wire
from handlers.wire.openai.envelope import new_envelope
from handlers.wire.openai.stream_options import includes_usage
from handlers.wire.types.openai import CreateCompletionRequest


async def create_completion(call: Call[CreateCompletionRequest]) -> Response:
    """createCompletion: continue one or several prompts, whole or as server-sent events."""
    body = call.body
    requests = wire.parse(body)
    envelope = new_envelope(wire.ID_PREFIX, body["model"], call.engine.model(body["model"]))
    n, logprobs = wire.answers(body), body.get("logprobs") is not None
    if not body.get("stream"):
        results = await generations.results(call, requests)
        return json_response(wire.render(results, envelope, n=n, logprobs=logprobs))
    events = generations.Merged(call, requests)
    await events.begin()
    chunks = wire.chunks(events, envelope, n=n, logprobs=logprobs, include_usage=includes_usage(body))
    return sse_response(call, events, chunks)
