"""`think`: whether, and how hard, a model thinks before it answers. Must not know how a template asks for it beyond its variables."""

from engine import JsonObject, ModelEntry
from handlers.wire.refusal import InvalidParameter


def template_kwargs(think: bool | str | None, entry: ModelEntry) -> JsonObject:
    """The template variables that stand for `think`. Raises InvalidParameter where the model cannot think."""
    can_think = "thinking" in entry.metadata.capabilities
    if think and not can_think:
        raise InvalidParameter(f"think: the model {entry.name!r} does not support thinking", "think")
    if think is None or not can_think:
        return {}
    effort = {"reasoning_effort": think} if isinstance(think, str) else {}
    return {"enable_thinking": bool(think), **effort}
