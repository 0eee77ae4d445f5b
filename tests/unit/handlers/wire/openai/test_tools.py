"""Which tools are offered, and how a request lets, or makes, the model call them."""

from typing import Any

import pytest

from engine import ToolUse
from handlers.wire.openai.tools import ToolOffer, parse_tools
from handlers.wire.refusal import InvalidParameter
from tests.unit.handlers.wire.scripted import conforming


def tool(name: str, **function: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, **function}}


def offer(**fields: Any) -> ToolOffer:
    given = {"model": "demo", "messages": [{"role": "user", "content": "Hi"}], **fields}
    return parse_tools(conforming(given, "openai", "CreateChatCompletionRequest"))


def allowed(mode: str, *names: str) -> dict[str, Any]:
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [tool(name) for name in names]}}


@pytest.mark.parametrize(
    ("fields", "use"),
    [
        ({}, ToolUse()),
        ({"tool_choice": "auto"}, ToolUse()),
        ({"tool_choice": "required"}, ToolUse(is_required=True)),
        ({"tool_choice": tool("b")}, ToolUse(is_required=True, names=("b",))),
        ({"tool_choice": allowed("auto", "a")}, ToolUse(names=("a",))),
        ({"tool_choice": allowed("required", "b", "a")}, ToolUse(is_required=True, names=("b", "a"))),
        ({"parallel_tool_calls": False}, ToolUse(in_parallel=False)),
        ({"tool_choice": "none"}, None),
    ],
)
def test_a_choice_says_what_may_or_must_be_called(fields: dict[str, Any], use: ToolUse | None) -> None:
    assert offer(tools=[tool("a"), tool("b")], **fields).use == use


def test_strict_functions_are_named_and_the_model_is_not_shown_the_word() -> None:
    found = offer(tools=[tool("a", strict=True), tool("b", strict=False), tool("c")])
    assert found == ToolOffer((tool("a"), tool("b"), tool("c")), ToolUse(strict=("a",)))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tool_choice": "required"}, "tool_choice: 'required' needs at least one function in tools"),
        ({"tools": [tool("a")], "tool_choice": tool("b")}, "tool_choice.function.name: 'b' is not among .* \\('a'\\)"),
        ({"tools": [tool("a")], "tool_choice": allowed("auto", "a", "b")}, r"tools\[1\].function.name: 'b' is not among"),
        ({"tools": [tool("a")], "tool_choice": allowed("auto")}, "expected at least one tool"),
        (
            {"tools": [tool("a")], "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{}]}}},
            r"tool_choice.allowed_tools.tools\[0\]: expected type 'function' and function.name",
        ),
    ],
)  # fmt: skip
def test_a_choice_of_what_is_not_offered_is_refused_by_name(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameter, match=message):
        offer(**fields)
