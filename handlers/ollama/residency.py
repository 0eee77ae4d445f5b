"""Requests without a prompt, by which Ollama's clients load and unload models. Owns which of the two is meant."""

from typing import Any

from engine import GenerationRequest
from handlers.context import Call
from handlers.streaming import whole
from handlers.wire.ollama.answers import Residency


async def change_residency(call: Call[Any], request: GenerationRequest) -> Residency:
    """Unload the model that `request` names where its keep-alive is 0, else have it loaded; says which was done."""
    call.record.model = request.model
    if request.keep_alive_seconds == 0:
        await whole(call, call.engine.unload(request.model))
        return "unload"
    await whole(call, call.engine.load_for(request))
    return "load"
