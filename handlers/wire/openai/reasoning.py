"""Whether, how hard and for how long a model thinks before it answers, and what its thinking is called. Must not know a template."""

from typing import Literal

from engine import ModelEntry
from handlers.wire.refusal import UNSUPPORTED_PARAMETER, InvalidParameter

ReasoningField = Literal["reasoning_content", "reasoning"]
"""Servers of this field differ in what they call a message's thinking, and so do clients in where they look for it."""

_EFFORT_OF_EVERY_MODEL = ("none", "medium")


def parse_effort(effort: str | None, entry: ModelEntry, where: str = "reasoning_effort") -> str | None:
    """The effort that a model is asked for. The default, `medium`, asks for nothing that a model without reasoning would have to refuse.
    Raises InvalidParameter for one that it can't make."""
    if "thinking" in entry.metadata.capabilities:
        return effort
    if effort not in (None, *_EFFORT_OF_EVERY_MODEL):
        message = f"{where}: the model {entry.name!r} does not reason; expected none or medium"
        raise InvalidParameter(message, where, code=UNSUPPORTED_PARAMETER)
    return None


def parse_budget(
    budget: int | None, effort: str | None, entry: ModelEntry, effort_where: str = "reasoning_effort"
) -> int | None:
    """The tokens after which thinking is ended; negative: no limit. Raises InvalidParameter where there is none to end."""
    name = "reasoning_budget_tokens"
    if budget is None:
        return None
    if "thinking" not in entry.metadata.capabilities:
        message = f"{name}: the model {entry.name!r} does not reason"
        raise InvalidParameter(message, name, code=UNSUPPORTED_PARAMETER)
    if effort == "none" and budget != 0:
        raise InvalidParameter(f"{name}: {budget} contradicts {effort_where}, which is none; expected 0", name)
    return budget
