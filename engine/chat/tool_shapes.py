"""Simpler descriptions of tools, for templates that fail on what JSON Schema allows. Must not know a template."""

from collections.abc import Iterator, Sequence
from typing import Any

from engine.request import JsonObject

_NO_PARAMETERS: JsonObject = {"type": "object", "properties": {}}
_BRANCHES = ("anyOf", "oneOf")


def simpler(tools: Sequence[JsonObject]) -> Iterator[list[JsonObject]]:
    """The same tools, each time described with less: first what may be left out is written (no parameters, say), then each value has one
    plain type."""
    complete = [_complete(tool) for tool in tools]
    if complete != list(tools):
        yield complete
    plain = [
        {**tool, "function": {**tool["function"], "parameters": _plain(tool["function"]["parameters"])}}
        for tool in complete
    ]
    if plain != complete:
        yield plain


def _complete(tool: JsonObject) -> JsonObject:
    """A function without parameters takes none, says OpenAI's description."""
    return {**tool, "function": {"description": "", "parameters": _NO_PARAMETERS, **tool["function"]}}


def _plain(schema: Any) -> Any:
    """The schema with the first type of several that is not null, and a type where it names none."""
    if not isinstance(schema, dict):
        return {"type": "string"}
    branch = next((schema[word] for word in _BRANCHES if schema.get(word)), None)
    if branch:
        chosen = next((each for each in branch if isinstance(each, dict) and each.get("type") != "null"), {})
        schema = {**{key: value for key, value in schema.items() if key not in _BRANCHES}, **chosen}
    kinds = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kinds, list):
        kinds = next((kind for kind in kinds if kind != "null"), "string")
    plain = {**schema, "type": kinds}
    if isinstance(schema.get("properties"), dict):
        plain["properties"] = {name: _plain(each) for name, each in schema["properties"].items()}
    if kinds == "object" and not isinstance(schema.get("additionalProperties"), dict):
        plain["additionalProperties"] = {"type": "string"}
    if "items" in schema or kinds == "array":
        plain["items"] = _plain(schema.get("items"))
    return plain
