"""Requests without a prompt, by which Ollama's clients load and unload models. Owns which of the two is meant."""

from typing import Any

from handlers.context import Call
from handlers.streaming import whole
from handlers.wire.keep_alive import parse_keep_alive
from handlers.wire.ollama.answers import Residency


async def change_residency(call: Call[Any]) -> Residency:
    """Unload the model that the body names where `keep_alive` is 0, else have it loaded; says which was done."""
    model = call.record.model = call.body["model"]
    keep_alive_seconds = parse_keep_alive(call.body.get("keep_alive"))
    if keep_alive_seconds == 0:
        await whole(call, call.engine.unload(model))
        return "unload"
    await whole(call, call.engine.load(model, keep_alive_seconds))
    return "load"
