"""`POST /api/embed` and the older `POST /api/embeddings`."""

from typing import Any

from starlette.responses import Response

from engine import EmbeddingRequest, EmbeddingResult, Timings, Usage
from handlers.context import Call
from handlers.errors import naming
from handlers.streaming import json_response, whole
from handlers.tenants import for_tenant
from handlers.wire.ollama import embed as wire
from handlers.wire.types.ollama import EmbeddingsRequest, EmbedRequest


async def embed(call: Call[EmbedRequest]) -> Response:
    """One vector of unit length for each text."""
    request = wire.parse(call.body, call.engine.model(call.body["model"]))
    with naming(wire.names(call.body)):
        return json_response(wire.render(await whole(call, _vectors(call, request)), call.body))


async def embeddings(call: Call[EmbeddingsRequest]) -> Response:
    """The older form: one text, and the vector as the model gives it."""
    request = wire.parse_older(call.body)
    with naming(wire.OLDER_NAMES):
        return json_response(wire.render_older(await whole(call, _vectors(call, request))))


async def _vectors(call: Call[Any], request: EmbeddingRequest) -> EmbeddingResult:
    """The vectors of the inputs; without inputs, the model is loaded and there are none."""
    call.record.model = request.model
    if not request.inputs:
        await call.engine.load_for(request)
        return EmbeddingResult(vectors=(), usage=Usage(), timings=Timings())
    result = await call.engine.embed(for_tenant(call, request))
    call.record.prompt_tokens = result.usage.prompt_tokens
    return result
