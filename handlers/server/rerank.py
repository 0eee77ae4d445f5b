"""`POST /v1/rerank`. Owns the order of the steps; what they mean is `handlers.wire`'s business."""

from starlette.responses import Response

from handlers.context import Call
from handlers.streaming import json_response, whole
from handlers.tenants import for_tenant
from handlers.wire.server import rerank as wire
from handlers.wire.types.server import RerankRequest


async def rerank(call: Call[RerankRequest]) -> Response:
    """How well each document answers the query, best first."""
    request = wire.parse(call.body, call.engine.model(call.body["model"]))
    result = await whole(call, call.engine.rerank(for_tenant(call, request)))
    call.record.prompt_tokens = result.usage.prompt_tokens
    return json_response(wire.render(result, call.body))
