"""When an answer goes on with what the conversation ends with. Must not know a dialect, nor how a template does it."""

from collections.abc import Sequence

from engine import JsonObject


def continues(messages: Sequence[JsonObject]) -> bool:
    """Whether the last message is an assistant's text, not over: the answer is what follows in it."""
    return bool(messages) and messages[-1]["role"] == "assistant" and not messages[-1].get("tool_calls")
