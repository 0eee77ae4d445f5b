"""A conversation as Ollama's Go templates see it.

Owns the names and shapes of `.Messages`, `.Tools` and what is in them. Must not know how a template is written.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from engine.chat.prompts.go_template.tool_order import ordered_tool
from engine.chat.prompts.go_template.values import JsonText, Record
from engine.request import JsonObject

_APART = "\n\n"


def joined(messages: Sequence[JsonObject]) -> list[JsonObject]:
    """The messages, neighbours of one role made one, as Ollama does; what tools answer stays apart."""
    result: list[JsonObject] = []
    for message in messages:
        last = result[-1] if result else {}
        if message["role"] == last.get("role") and message["role"] != "tool":
            result[-1] = {**last, **message, "content": last["content"] + _APART + message["content"]}
        else:
            result.append(message)
    return result


def system_text(messages: Sequence[JsonObject]) -> str:
    """What all system messages say."""
    return _text_of_role(messages, "system")


def user_text(messages: Sequence[JsonObject]) -> str:
    """What all of the user's messages say."""
    return _text_of_role(messages, "user")


def _text_of_role(messages: Sequence[JsonObject], role: str) -> str:
    return _APART.join(message["content"] for message in messages if message["role"] == role)


def message_records(messages: Sequence[JsonObject]) -> list[Record]:
    """`.Messages`."""
    return [_message(message) for message in messages]


def tool_records(tools: Sequence[JsonObject]) -> JsonText:
    """`.Tools`."""
    ordered = [ordered_tool(tool) for tool in tools]
    return JsonText([_tool(tool) for tool in ordered], ordered)


def _message(message: JsonObject) -> Record:
    calls = [_call(number, call) for number, call in enumerate(message.get("tool_calls") or ())]
    fields = {
        "Role": message["role"],
        "Content": message["content"],
        "Thinking": message.get("reasoning_content") or "",
        "ToolCalls": calls,
        "ToolName": message.get("name") or "",
        "ToolCallID": message.get("tool_call_id") or "",
        "Images": [],
    }
    return Record("Message", fields, dict(message))


def _call(number: int, call: JsonObject) -> Record:
    given = call["function"]
    arguments = given.get("arguments", {})
    shown = JsonText(arguments) if isinstance(arguments, dict) else arguments
    function = Record("ToolCallFunction", {"Index": number, "Name": given["name"], "Arguments": shown}, given)
    return Record("ToolCall", {"ID": call.get("id", ""), "Function": function}, call)


def _tool(tool: JsonObject) -> Record:
    given = tool["function"]
    schema = given.get("parameters") or {}
    fields = {
        "Name": given["name"],
        "Description": given.get("description") or "",
        "Parameters": Record("ToolFunctionParameters", dict(_parameter_fields(schema)), schema, prints=True),
    }
    function = Record("ToolFunction", fields, given, prints=True)
    return Record("Tool", {"Type": tool.get("type", "function"), "Function": function}, tool, prints=True)


def _parameter_fields(schema: JsonObject) -> Iterator[tuple[str, Any]]:
    properties = schema.get("properties")
    yield "Type", _type_text(schema.get("type", "object"))
    yield "Required", schema.get("required") or []
    yield "Properties", JsonText({name: _property(given) for name, given in (properties or {}).items()})
    yield "Items", schema.get("items")
    yield "Defs", schema.get("$defs")


def _property(given: Any) -> Record:
    """A parameter. A schema that is only true or false says nothing of it."""
    schema = given if isinstance(given, dict) else {}
    fields = {
        "Type": _type_text(schema.get("type", "")),
        "Description": schema.get("description") or "",
        "Enum": schema.get("enum") or [],
        "Items": schema.get("items"),
        "AnyOf": [_property(each) for each in schema.get("anyOf") or ()],
        "Properties": {name: _property(each) for name, each in (schema.get("properties") or {}).items()},
        "Required": schema.get("required") or [],
    }
    return Record("ToolProperty", fields, given)


def _type_text(given: Any) -> Any:
    """One type by its name, several as Go prints a list."""
    names = [given] if isinstance(given, str) else list(map(str, given)) if isinstance(given, list) else []
    return f"[{' '.join(names)}]" if len(names) > 1 else "".join(names)
