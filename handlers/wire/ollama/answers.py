"""What every answer of generate and chat carries beside its text: model, time, and at the end reason, counts and durations.

Owns those fields. Must not know where the text goes.
"""

from typing import Literal

from engine import Finished, FinishReason, GenerationResult, JsonObject
from handlers.wire.ollama import timestamps

Residency = Literal["load", "unload"]


def opening(model: str) -> JsonObject:
    """The fields that a body begins with. `model` is named as the caller named it."""
    return {"model": model, "created_at": timestamps.now()}


def residency_ending(change: Residency) -> JsonObject:
    """The end of an answer for which nothing was generated: the model was loaded or unloaded."""
    return {"done": True, "done_reason": change}


def ending(finish_reason: FinishReason, end: Finished | GenerationResult) -> JsonObject:
    """The end of a generated answer: why, how many tokens, how many nanoseconds. A tool call is an ordinary `stop`."""
    return {
        "done": True,
        "done_reason": "length" if finish_reason == "length" else "stop",
        "total_duration": end.timings.total_ns,
        "load_duration": end.timings.load_ns,
        "prompt_eval_count": end.usage.prompt_tokens,
        "prompt_eval_duration": end.timings.prompt_ns,
        "eval_count": end.usage.completion_tokens,
        "eval_duration": end.timings.generation_ns,
    }
