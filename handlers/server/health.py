"""`GET /health` and `GET /ready`."""

from typing import Literal

from starlette.responses import Response

from engine import Engine
from handlers.context import Call
from handlers.streaming import json_response
from handlers.wire.types.server import HealthResponse, ModelReadiness, ReadyResponse


async def health(call: Call[None]) -> Response:
    """The server runs: it answers."""
    return json_response(HealthResponse(status="ok"))


async def ready(call: Call[None]) -> Response:
    """Whether the models named at the start are loaded; 503 until they are."""
    models = _models(call.engine)
    if call.engine.ready:
        return json_response(ReadyResponse(status="ready", models=models))
    failed = any(model["status"] == "failed" for model in models)
    return json_response(ReadyResponse(status="failed" if failed else "loading", models=models), 503)


def _models(engine: Engine) -> list[ModelReadiness]:
    loaded = {entry.name for entry in engine.loaded()}
    absent: Literal["unloaded", "loading"] = "unloaded" if engine.ready else "loading"
    return [
        ModelReadiness(model=name, status="failed", error=engine.preload_errors[name])
        if name in engine.preload_errors
        else ModelReadiness(model=name, status="ready" if name in loaded else absent)
        for name in engine.preloads
    ]
