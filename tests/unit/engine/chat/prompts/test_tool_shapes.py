"""Tools are described more simply, step by step, and never fail to be."""

from typing import Any

import pytest

from engine.chat.prompts.tool_shapes import simpler


def tool(parameters: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "f", "parameters": parameters}}


def parameters(tools: list[dict[str, Any]]) -> Any:
    return tools[0]["function"]["parameters"]


def test_descriptions_then_types_then_parts_are_made_plain() -> None:
    given = {
        "type": "object",
        "properties": {"a": {"anyOf": [{"type": "null"}, {"type": "array", "items": {"type": ["null", "integer"]}}]}},
    }
    complete, plain, flat = map(parameters, simpler([tool(given)]))
    assert complete["properties"]["a"]["description"] == ""
    assert plain["properties"]["a"] == {"type": "array", "items": {"type": "integer"}, "description": ""}
    assert flat["properties"]["a"] == {"type": "string", "description": "(JSON, a value of type array)"}


def test_no_parameters_are_an_object_without_properties() -> None:
    bare = {"type": "function", "function": {"name": "f"}}
    first = next(simpler([bare]))
    assert first[0]["function"] == {"name": "f", "description": "", "parameters": {"type": "object", "properties": {}}}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"properties": 3},
        {"properties": {"a": 1, "b": True}},
        {"anyOf": 1},
        {"properties": {"a": {"type": {}, "items": 1}}},
    ],
)
def test_what_is_no_usable_schema_is_described_all_the_same(given: Any) -> None:
    assert all(described[0]["function"]["name"] == "f" for described in simpler([tool(given)]))
