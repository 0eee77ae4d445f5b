"""The tools of a Responses request, spelled flat, and its choice among them, as chat's. Must not know how a model is held to them."""

from typing import Any

from handlers.wire.nullable import or_default
from handlers.wire.openai.tools import (
    Choice,
    Tool,
    ToolOffer,
    check_names,
    chosen_mode,
    offer,
    offered_name,
)
from handlers.wire.refusal import InvalidParameter
from handlers.wire.types.openai import (
    CreateResponse,
    CustomToolChatCompletions,
    CustomToolParam,
    FunctionObject,
    FunctionTool,
    ToolChoiceAllowed,
    ToolChoiceCustom,
    ToolChoiceFunction,
)

NamedChoice = ToolChoiceAllowed | ToolChoiceFunction | ToolChoiceCustom
_PLACES = {"function": "parameters", "custom": "format.definition"}


def parse_tools(body: CreateResponse) -> ToolOffer:
    """What is offered. Raises InvalidParameter where `tool_choice` wants what `tools` does not have."""
    tools = [_nested(tool) for tool in body.get("tools") or ()]
    check_names(tools, "name")
    choice = body.get("tool_choice") or "auto"
    parsed = chosen_mode(choice, tools) if isinstance(choice, str) else _chosen_tools(choice, tools)
    return offer(tools, parsed, in_parallel=or_default(body.get("parallel_tool_calls"), True))


def custom_names(body: CreateResponse) -> frozenset[str]:
    """The names of the custom tools that a request offers."""
    return frozenset(tool["name"] for tool in body.get("tools") or () if tool["type"] == "custom")


def places(body: CreateResponse) -> dict[str, str]:
    """Where a body has what the engine can't hold the arguments of its tools to, by the engine's names for the tools."""
    return {
        f"tools[{number}]": f"tools[{number}].{_PLACES[tool['type']]}"
        for number, tool in enumerate(body.get("tools") or ())
    }


def _nested(tool: FunctionTool | CustomToolParam) -> Tool:
    if tool["type"] == "custom":
        return _custom(tool)
    function: FunctionObject = {"name": tool["name"]}
    if tool.get("description"):
        function["description"] = tool["description"] or ""
    if tool.get("parameters"):
        function["parameters"] = tool["parameters"] or {}
    return {"type": "function", "function": {**function, "strict": tool.get("strict")}}


def _custom(tool: CustomToolParam) -> CustomToolChatCompletions:
    nested: Any = {"name": tool["name"]}
    if tool.get("description"):
        nested["description"] = tool["description"]
    form = tool.get("format")
    if form is not None and form["type"] == "grammar":
        nested["format"] = {
            "type": "grammar",
            "grammar": {"definition": form["definition"], "syntax": form["syntax"]},
        }
    return {"type": "custom", "custom": nested}


def _chosen_tools(choice: NamedChoice, tools: list[Tool]) -> Choice:
    if choice["type"] == "allowed_tools":
        return Choice(is_required=choice["mode"] == "required", names=_allowed(choice, tools))
    return Choice(is_required=True, names=(offered_name(choice["name"], choice["type"], tools, "tool_choice.name"),))


def _allowed(choice: ToolChoiceAllowed, tools: list[Tool]) -> tuple[str, ...]:
    """The published document leaves open what stands in the list; its example has `type` and `name`."""
    where = "tool_choice.tools"
    names: list[str] = []
    for number, tool in enumerate(choice["tools"]):
        kind, name = tool.get("type"), tool.get("name")
        if kind not in _PLACES or not isinstance(name, str):
            place = f"{where}[{number}]"
            raise InvalidParameter(f"{place}: expected type 'function' or 'custom', and name", place)
        names.append(offered_name(name, kind, tools, f"{where}[{number}].name"))
    if not names:
        raise InvalidParameter(f"{where}: expected at least one tool", where)
    return tuple(names)
