"""Simpler descriptions of tools, for templates that fail on what JSON Schema allows. Must not know a template."""

from collections.abc import Iterator, Sequence
from typing import Any

from engine.request import JsonObject

_BRANCHES = ("anyOf", "oneOf")
_HAVE_PARTS = ("array", "object")


def simpler(tools: Sequence[JsonObject]) -> Iterator[list[JsonObject]]:
    """The same tools, each time described with less: first what may be left out is written (no parameters, say), then each value has one
    plain type, then no value has parts."""
    described = list(tools)
    for simplify in (_complete, _plain, _flat):
        again = [_with_parameters(tool, simplify(_parameters(tool))) for tool in described]
        if again != described:
            yield again
        described = again


def _parameters(tool: JsonObject) -> JsonObject:
    """A function without parameters takes none, says OpenAI's description."""
    given = tool["function"].get("parameters")
    return given if isinstance(given, dict) else {"type": "object"}


def _with_parameters(tool: JsonObject, parameters: JsonObject) -> JsonObject:
    function = tool["function"]
    return {
        **tool,
        "function": {**function, "description": function.get("description") or "", "parameters": parameters},
    }


def _complete(parameters: JsonObject) -> JsonObject:
    """What has no description has an empty one."""
    described = {
        name: {**schema, "description": schema.get("description", "")} if isinstance(schema, dict) else schema
        for name, schema in _properties(parameters).items()
    }
    return {**parameters, "properties": described}


def _properties(schema: JsonObject) -> JsonObject:
    given = schema.get("properties")
    return given if isinstance(given, dict) else {}


def _plain(schema: Any) -> JsonObject:
    """The schema with the first type of several that is not null, and a type where it names none."""
    if not isinstance(schema, dict):
        return {"type": "string"}
    schema = _first_branch(schema)
    kinds = schema.get("type", "object" if "properties" in schema else "string")
    kind = next((kind for kind in kinds if kind != "null"), "string") if isinstance(kinds, list) else kinds
    plain = {**schema, "type": kind}
    if kind == "object" and not isinstance(schema.get("additionalProperties"), dict):
        plain["additionalProperties"] = {"type": "string"}
    if "properties" in schema:
        plain["properties"] = {name: _plain(each) for name, each in _properties(schema).items()}
    if "items" in schema or kind == "array":
        plain["items"] = _plain(schema.get("items"))
    return plain


def _first_branch(schema: JsonObject) -> JsonObject:
    branches = next((schema[word] for word in _BRANCHES if isinstance(schema.get(word), list)), ())
    chosen = next((each for each in branches if isinstance(each, dict) and each.get("type") != "null"), {})
    return {**{key: value for key, value in schema.items() if key not in _BRANCHES}, **chosen}


def _flat(parameters: JsonObject) -> JsonObject:
    """Arrays and objects among the parameters as text that says what it holds. Command R+ fails on any array."""
    properties = {
        name: _as_json_text(each) if each.get("type") in _HAVE_PARTS else each
        for name, each in _properties(parameters).items()
    }
    return {**parameters, "properties": properties}


def _as_json_text(schema: JsonObject) -> JsonObject:
    described = f"{schema.get('description', '')} (JSON, a value of type {schema['type']})".strip()
    return {"type": "string", "description": described}
