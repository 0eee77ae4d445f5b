"""Tools that a request offers, and whether it lets the model call them. Must not know how a template shows them.

What cannot be done yet (custom tools, strict arguments, forced calls) is refused by the contract's coverage.
"""

from engine import JsonObject
from handlers.wire.types.openai import CreateChatCompletionRequest


def parse_tools(body: CreateChatCompletionRequest) -> tuple[JsonObject, ...]:
    """The tools to show the model: those offered, or none where `tool_choice` is `none`."""
    if body.get("tool_choice") == "none":
        return ()
    return tuple(
        {"type": "function", "function": dict(tool["function"])}
        for tool in body.get("tools") or ()
        if tool["type"] == "function"
    )
