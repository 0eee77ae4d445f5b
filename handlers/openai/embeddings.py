"""`POST /v1/embeddings`. Owns the order of the steps; what they mean is `handlers.wire`'s business."""

from typing import Any

from starlette.responses import Response

from engine import EmbeddingRequest, TokenizeRequest
from handlers.context import Call
from handlers.errors import naming
from handlers.streaming import json_response, whole
from handlers.tenants import for_tenant
from handlers.wire.openai import embeddings as wire
from handlers.wire.types.openai import CreateEmbeddingRequest


async def create_embedding(call: Call[CreateEmbeddingRequest]) -> Response:
    """createEmbedding: one vector for each input."""
    body = call.body
    call.record.model = body["model"]
    request = wire.parse(body, call.engine.model(body["model"]))
    if wire.most_tokens(request) > wire.MAX_TOKENS:
        wire.check_total(await whole(call, _count_tokens(call, request)))
    with naming(wire.names(body)):
        result = await whole(call, call.engine.embed(for_tenant(call, request)))
    call.record.prompt_tokens = result.usage.prompt_tokens
    return json_response(wire.render(result, body))


async def _count_tokens(call: Call[Any], request: EmbeddingRequest) -> int:
    """The tokens of all inputs together; counts texts one after the other, no further than the limit."""
    total = sum(len(tokens) for tokens in request.inputs if not isinstance(tokens, str))
    for text in request.inputs:
        if isinstance(text, str) and total <= wire.MAX_TOKENS:
            total += len((await call.engine.tokenize(TokenizeRequest(model=request.model, text=text))).tokens)
    return total
