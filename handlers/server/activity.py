"""`GET /metrics` and `GET /v1/slots`: what the models are doing and have done."""

from starlette.responses import Response

from handlers.context import Call
from handlers.streaming import json_response, whole
from handlers.wire import activity as wire


async def metrics(call: Call[None]) -> Response:
    """Everything that is counted, in Prometheus' text format."""
    models = await whole(call, call.engine.activity())
    return Response(wire.exposition(models), media_type=wire.EXPOSITION_TYPE)


async def slots(call: Call[None]) -> Response:
    """Each model's queue, cache and slots."""
    return json_response(wire.render_slots(await whole(call, call.engine.activity())))
