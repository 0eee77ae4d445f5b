"""The tools that a request offers, and how the model may, or must, call them. Must not know how a template shows them."""

from collections.abc import Sequence
from typing import NamedTuple

from engine import JsonObject, ToolUse
from handlers.wire.openai.custom_tools import as_function, custom_names, input_constraint
from handlers.wire.openai.functions import choice_of_function, functions_as_tools, uses_functions
from handlers.wire.refusal import InvalidParameter
from handlers.wire.types.openai import (
    ChatCompletionAllowedToolsChoice,
    ChatCompletionTool,
    ChatCompletionToolChoiceOption,
    CreateChatCompletionRequest,
    CustomToolChatCompletions,
)

Tool = ChatCompletionTool | CustomToolChatCompletions


class ToolOffer(NamedTuple):
    """The tools to show the model, and how it may use them; neither where it may call none."""

    tools: tuple[JsonObject, ...] = ()
    use: ToolUse | None = None


def parse_tools(body: CreateChatCompletionRequest) -> ToolOffer:
    """What is offered. Raises InvalidParameter where `tool_choice` wants what `tools` does not have."""
    older = uses_functions(body)
    tools: Sequence[Tool] = functions_as_tools(body) if older else body.get("tools") or ()
    _check_names(tools, custom_names(body))
    choice = choice_of_function(body) if older else body.get("tool_choice") or "auto"
    required, names = _choice(choice, tools)
    if choice == "none" or not tools:
        return ToolOffer()
    held = {tool["custom"]["name"]: input_constraint(tool) for tool in tools if tool["type"] == "custom"}
    use = ToolUse(
        is_required=required,
        names=names,
        in_parallel=body.get("parallel_tool_calls", True) and not older,
        strict=tuple(
            tool["function"]["name"] for tool in tools if tool["type"] == "function" and tool["function"].get("strict")
        ),
        inputs={name: constraint for name, constraint in held.items() if constraint},
    )
    return ToolOffer(tuple(map(_shown, tools)), use)


def places(body: CreateChatCompletionRequest) -> dict[str, str]:
    """Where a body has what the engine can't hold the arguments of its tools to, by the engine's names for the tools."""
    if body.get("functions"):
        return {f"tools[{number}]": f"functions[{number}].parameters" for number in range(len(body["functions"]))}
    return {
        f"tools[{number}]": f"tools[{number}].{_PLACES[tool['type']]}"
        for number, tool in enumerate(body.get("tools") or ())
    }


_PLACES = {"function": "function.parameters", "custom": "custom.format.grammar.definition"}


def _check_names(tools: Sequence[Tool], custom: frozenset[str]) -> None:
    """A call is told by its tool's name: that of a custom tool can't be another's, too."""
    for number, tool in enumerate(tools):
        known = [_name(other) for other in tools[:number]]
        if _name(tool) in known and _name(tool) in custom:
            where = f"tools[{number}].{tool['type']}.name"
            raise InvalidParameter(f"{where}: tools[{known.index(_name(tool))}] has this name, too", where)


def _name(tool: Tool) -> str:
    return tool["function"]["name"] if tool["type"] == "function" else tool["custom"]["name"]


def _shown(tool: Tool) -> JsonObject:
    """A tool as templates expect it; `strict` is between the caller and the server."""
    function = (as_function(tool) if tool["type"] == "custom" else tool)["function"]
    return {"type": "function", "function": {key: value for key, value in function.items() if key != "strict"}}


def _choice(choice: ChatCompletionToolChoiceOption, tools: Sequence[Tool]) -> tuple[bool, tuple[str, ...] | None]:
    """Whether a call must be made, and of which tools; None: of any."""
    if isinstance(choice, str):
        if choice == "required" and not tools:
            raise InvalidParameter("tool_choice: 'required' needs at least one function in tools", "tool_choice")
        return choice == "required", None
    if choice["type"] == "allowed_tools":
        return choice["allowed_tools"]["mode"] == "required", _allowed(choice, tools)
    named = choice["function"] if choice["type"] == "function" else choice["custom"]
    return True, (_offered(named["name"], choice["type"], tools, f"tool_choice.{choice['type']}.name"),)


def _allowed(choice: ChatCompletionAllowedToolsChoice, tools: Sequence[Tool]) -> tuple[str, ...]:
    """The published document leaves open what stands in the list; its example has `type` and `function.name`."""
    where = "tool_choice.allowed_tools.tools"
    names: list[str] = []
    for number, tool in enumerate(choice["allowed_tools"]["tools"]):
        kind = "custom" if tool.get("type") == "custom" else "function"
        name = (tool.get(kind) or {}).get("name") if isinstance(tool.get(kind), dict) else None
        if not isinstance(name, str):
            raise InvalidParameter(
                f"{where}[{number}]: expected type 'function' and function.name, or type 'custom' and custom.name",
                f"{where}[{number}]",
            )
        names.append(_offered(name, kind, tools, f"{where}[{number}].{kind}.name"))
    if not names:
        raise InvalidParameter(f"{where}: expected at least one tool", where)
    return tuple(names)


def _offered(name: str, kind: str, tools: Sequence[Tool], where: str) -> str:
    offered = [_name(tool) for tool in tools if tool["type"] == kind]
    if name not in offered:
        known = ", ".join(map(repr, offered)) or "none"
        what = "functions" if kind == "function" else "custom tools"
        raise InvalidParameter(f"{where}: {name!r} is not among the {what} in tools ({known})", where)
    return name
