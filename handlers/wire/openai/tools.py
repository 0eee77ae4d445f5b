"""The tools that a request offers, and how the model may, or must, call them, in chat's spelling and whatever can be brought into it.

Must not know how a template shows them.
"""

from collections.abc import Sequence
from typing import NamedTuple

from engine import JsonObject, ToolUse
from handlers.wire.openai.custom_tools import as_function, input_constraint
from handlers.wire.openai.functions import choice_of_function, functions_as_tools, uses_functions
from handlers.wire.refusal import InvalidParameter
from handlers.wire.types.openai import (
    ChatCompletionAllowedToolsChoice,
    ChatCompletionNamedToolChoice,
    ChatCompletionNamedToolChoiceCustom,
    ChatCompletionTool,
    CreateChatCompletionRequest,
    CustomToolChatCompletions,
)

Tool = ChatCompletionTool | CustomToolChatCompletions
NamedChoice = ChatCompletionAllowedToolsChoice | ChatCompletionNamedToolChoice | ChatCompletionNamedToolChoiceCustom


class ToolOffer(NamedTuple):
    """The tools to show the model, and how it may use them; neither where it may call none."""

    tools: tuple[JsonObject, ...] = ()
    use: ToolUse | None = None


class Choice(NamedTuple):
    """How tools may be called: not at all, as the model likes, or at least once; and which, None: any."""

    forbids: bool = False
    is_required: bool = False
    names: tuple[str, ...] | None = None


def parse_tools(body: CreateChatCompletionRequest) -> ToolOffer:
    """What is offered. Raises InvalidParameter where `tool_choice` wants what `tools` does not have."""
    older = uses_functions(body)
    tools: Sequence[Tool] = functions_as_tools(body) if older else body.get("tools") or ()
    check_names(tools, "{kind}.name")
    choice = choice_of_function(body) if older else body.get("tool_choice") or "auto"
    parsed = chosen_mode(choice, tools) if isinstance(choice, str) else _chosen_tools(choice, tools)
    return offer(tools, parsed, in_parallel=body.get("parallel_tool_calls", True) and not older)


def offer(tools: Sequence[Tool], choice: Choice, *, in_parallel: bool) -> ToolOffer:
    """What is offered of these tools. Nothing where none may be called."""
    if choice.forbids or not tools:
        return ToolOffer()
    held = {tool["custom"]["name"]: input_constraint(tool) for tool in tools if tool["type"] == "custom"}
    use = ToolUse(
        is_required=choice.is_required,
        names=choice.names,
        in_parallel=in_parallel,
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


def check_names(tools: Sequence[Tool], place: str) -> None:
    """A call is told by its tool's name: that of a custom tool can't be another's, too. `place`: of a name within a tool of some `kind`.
    Raises InvalidParameter."""
    custom = {_name(tool) for tool in tools if tool["type"] == "custom"}
    for number, tool in enumerate(tools):
        known = [_name(other) for other in tools[:number]]
        if _name(tool) in known and _name(tool) in custom:
            where = f"tools[{number}].{place.format(kind=tool['type'])}"
            raise InvalidParameter(f"{where}: tools[{known.index(_name(tool))}] has this name, too", where)


def _name(tool: Tool) -> str:
    return tool["function"]["name"] if tool["type"] == "function" else tool["custom"]["name"]


def _shown(tool: Tool) -> JsonObject:
    """A tool as templates expect it; `strict` is between the caller and the server."""
    function = (as_function(tool) if tool["type"] == "custom" else tool)["function"]
    return {"type": "function", "function": {key: value for key, value in function.items() if key != "strict"}}


def chosen_mode(mode: str, tools: Sequence[Tool]) -> Choice:
    """A choice that names no tool. Raises InvalidParameter where there is none to call."""
    if mode == "required" and not tools:
        raise InvalidParameter("tool_choice: 'required' needs at least one function in tools", "tool_choice")
    return Choice(forbids=mode == "none", is_required=mode == "required")


def _chosen_tools(choice: NamedChoice, tools: Sequence[Tool]) -> Choice:
    if choice["type"] == "allowed_tools":
        return Choice(is_required=choice["allowed_tools"]["mode"] == "required", names=_allowed(choice, tools))
    named = choice["function"] if choice["type"] == "function" else choice["custom"]
    name = offered_name(named["name"], choice["type"], tools, f"tool_choice.{choice['type']}.name")
    return Choice(is_required=True, names=(name,))


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
        names.append(offered_name(name, kind, tools, f"{where}[{number}].{kind}.name"))
    if not names:
        raise InvalidParameter(f"{where}: expected at least one tool", where)
    return tuple(names)


def offered_name(name: str, kind: str, tools: Sequence[Tool], where: str) -> str:
    """`name`, which stands at `where` and is that of an offered tool of this kind. Raises InvalidParameter where none has it."""
    offered = [_name(tool) for tool in tools if tool["type"] == kind]
    if name not in offered:
        known = ", ".join(map(repr, offered)) or "none"
        what = "functions" if kind == "function" else "custom tools"
        raise InvalidParameter(f"{where}: {name!r} is not among the {what} in tools ({known})", where)
    return name
