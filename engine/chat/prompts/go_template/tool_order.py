"""Tools with their keys in the order in which Ollama writes them, which is what models saw there. Nothing is left out or added."""

from collections.abc import Mapping
from typing import Any

from engine.request import JsonObject

_TOOL = ("type", "items", "function")
_FUNCTION = ("name", "description", "parameters")
_PARAMETERS = ("type", "$defs", "items", "required", "properties")
_PROPERTY = ("anyOf", "type", "items", "description", "enum", "properties", "required")


def ordered_tool(tool: JsonObject) -> JsonObject:
    """The tool in Ollama's order; what Ollama does not know comes last, as it was given."""
    return _ordered(tool, _TOOL, function=_ordered_function(tool["function"]))


def _ordered_function(function: JsonObject) -> JsonObject:
    schema = function.get("parameters")
    parameters = _ordered_schema(schema, _PARAMETERS) if isinstance(schema, dict) else schema
    return _ordered(function, _FUNCTION, parameters=parameters)


def _ordered_schema(schema: Any, known: tuple[str, ...]) -> Any:
    if not isinstance(schema, dict):
        return schema
    given = schema.get("properties")
    properties = (
        {name: _ordered_schema(given[name], _PROPERTY) for name in sorted(given)} if isinstance(given, dict) else given
    )
    return _ordered(schema, known, properties=properties)


def _ordered(given: Mapping[str, Any], known: tuple[str, ...], **replaced: Any) -> JsonObject:
    names = [*(name for name in known if name in given), *(name for name in given if name not in known)]
    return {name: replaced.get(name, given[name]) for name in names}
