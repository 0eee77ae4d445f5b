"""`think`: whether, how hard and for how long a model thinks before it answers. Must not know a template."""

from engine import ModelEntry, Prompt, TextPrompt
from handlers.wire.refusal import InvalidParameter
from handlers.wire.types.ollama import ChatRequest, GenerateRequest

_BUDGET = "options.reasoning_budget_tokens"


def parse_effort(think: bool | str | None, entry: ModelEntry) -> str | None:
    """The effort that `think` asks for. Raises InvalidParameter where the model cannot think."""
    can_think = "thinking" in entry.metadata.capabilities
    if think and not can_think:
        raise InvalidParameter(f"think: the model {entry.name!r} does not support thinking", "think")
    if think is None or not can_think:
        return None
    return think if isinstance(think, str) else "on" if think else "none"


def parse_budget(body: GenerateRequest | ChatRequest, entry: ModelEntry, prompt: Prompt) -> int | None:
    """The tokens after which thinking is ended. Raises InvalidParameter where there is none to end."""
    budget = (body.get("options") or {}).get("reasoning_budget_tokens")
    if budget is None:
        return None
    if "thinking" not in entry.metadata.capabilities:
        raise InvalidParameter(f"{_BUDGET}: the model {entry.name!r} does not support thinking", _BUDGET)
    if isinstance(prompt, TextPrompt):
        raise InvalidParameter(f"{_BUDGET}: in a raw prompt's answer thinking is not told apart", _BUDGET)
    if body.get("think") is False and budget != 0:
        raise InvalidParameter(f"{_BUDGET}: {budget} contradicts that think is false; expected 0 or none", _BUDGET)
    return budget
