"""The tools that a request offers, and how the model may, or must, call them. Must not know how a template shows them.

What cannot be done yet (custom tools) is refused by the contract's coverage.
"""

from collections.abc import Sequence
from typing import NamedTuple

from engine import JsonObject, ToolUse
from handlers.wire.openai.functions import choice_of_function, functions_as_tools, uses_functions
from handlers.wire.refusal import InvalidParameter
from handlers.wire.types.openai import (
    ChatCompletionAllowedToolsChoice,
    ChatCompletionNamedToolChoice,
    ChatCompletionTool,
    ChatCompletionToolChoiceOption,
    CreateChatCompletionRequest,
)


class ToolOffer(NamedTuple):
    """The tools to show the model, and how it may use them; neither where it may call none."""

    tools: tuple[JsonObject, ...] = ()
    use: ToolUse | None = None


def parse_tools(body: CreateChatCompletionRequest) -> ToolOffer:
    """What is offered. Raises InvalidParameter where `tool_choice` wants what `tools` does not have."""
    older = uses_functions(body)
    functions = functions_as_tools(body) if older else [t for t in body.get("tools") or () if t["type"] == "function"]
    choice = choice_of_function(body) if older else body.get("tool_choice") or "auto"
    required, names = _choice(choice, [tool["function"]["name"] for tool in functions])
    if choice == "none" or not functions:
        return ToolOffer()
    use = ToolUse(
        is_required=required,
        names=names,
        in_parallel=body.get("parallel_tool_calls", True) and not older,
        strict=tuple(tool["function"]["name"] for tool in functions if tool["function"].get("strict")),
    )
    return ToolOffer(tuple(map(_shown, functions)), use)


def _shown(tool: ChatCompletionTool) -> JsonObject:
    """A tool as templates expect it; `strict` is between the caller and the server."""
    return {"type": "function", "function": {key: value for key, value in tool["function"].items() if key != "strict"}}


def _choice(choice: ChatCompletionToolChoiceOption, offered: Sequence[str]) -> tuple[bool, tuple[str, ...] | None]:
    """Whether a call must be made, and of which functions; None: of any."""
    if isinstance(choice, str):
        if choice == "required" and not offered:
            raise InvalidParameter("tool_choice: 'required' needs at least one function in tools", "tool_choice")
        return choice == "required", None
    if choice["type"] == "function":
        return True, (_named(choice, offered),)
    if choice["type"] == "allowed_tools":
        return choice["allowed_tools"]["mode"] == "required", _allowed(choice, offered)
    raise AssertionError("the contract's coverage refuses to force a custom tool")


def _named(choice: ChatCompletionNamedToolChoice, offered: Sequence[str]) -> str:
    return _offered(choice["function"]["name"], offered, "tool_choice.function.name")


def _allowed(choice: ChatCompletionAllowedToolsChoice, offered: Sequence[str]) -> tuple[str, ...]:
    """The published document leaves open what stands in the list; its example has `type` and `function.name`."""
    where = "tool_choice.allowed_tools.tools"
    names: list[str] = []
    for number, tool in enumerate(choice["allowed_tools"]["tools"]):
        name = (tool.get("function") or {}).get("name") if isinstance(tool.get("function"), dict) else None
        if not isinstance(name, str):
            raise InvalidParameter(
                f"{where}[{number}]: expected type 'function' and function.name", f"{where}[{number}]"
            )
        names.append(_offered(name, offered, f"{where}[{number}].function.name"))
    if not names:
        raise InvalidParameter(f"{where}: expected at least one tool", where)
    return tuple(names)


def _offered(name: str, offered: Sequence[str], where: str) -> str:
    if name not in offered:
        known = ", ".join(map(repr, offered)) or "none"
        raise InvalidParameter(f"{where}: {name!r} is not among the functions in tools ({known})", where)
    return name
