"""`GET /health` and `GET /ready`."""

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
    return [_model(name, loaded, engine.preload_errors.get(name)) for name in engine.preloads]


def _model(name: str, loaded: set[str], error: str | None) -> ModelReadiness:
    if error is not None:
        return ModelReadiness(model=name, status="failed", error=error)
    return ModelReadiness(model=name, status="ready" if name in loaded else "loading")
