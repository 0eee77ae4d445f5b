"""Ollama's messages and tools become what chat templates expect."""

from typing import Any

from handlers.wire.ollama.messages import template_messages, template_tools
from tests.unit.handlers.wire.scripted import conforming


def rendered(*messages: dict[str, Any]) -> list[dict[str, Any]]:
    for message in messages:
        conforming(message, "ollama", "ChatMessage")
    return list(template_messages(messages))  # type: ignore[arg-type]


def test_plain_messages_stay_as_they_are() -> None:
    messages = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"})
    assert rendered(*messages) == list(messages)


def test_absent_content_is_empty_text() -> None:
    assert (
        rendered({"role": "assistant"}, {"role": "assistant", "content": None})
        == [{"role": "assistant", "content": ""}] * 2
    )


def test_calls_keep_their_arguments_as_objects() -> None:
    history = {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "Rome"}}}],
    }
    [message] = rendered(history)
    assert message["tool_calls"] == [
        {"type": "function", "function": {"name": "weather", "arguments": {"city": "Rome"}}}
    ]


def test_a_tools_answer_is_named_by_tool_name_or_after_its_call() -> None:
    history = {"role": "assistant", "tool_calls": [{"id": "call_1", "function": {"name": "weather"}}]}
    answers = rendered(
        history,
        {"role": "tool", "content": "sunny", "tool_name": "forecast"},
        {"role": "tool", "content": "rainy", "tool_call_id": "call_1"},
    )
    assert answers == [
        {"role": "assistant", "content": "", "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": {}}}
        ]},
        {"role": "tool", "content": "sunny", "name": "forecast"},
        {"role": "tool", "content": "rainy", "name": "weather", "tool_call_id": "call_1"},
    ]  # fmt: skip


def test_earlier_thoughts_are_the_templates_reasoning_content() -> None:
    [message] = rendered({"role": "assistant", "content": "4", "thinking": "2 + 2"})
    assert message == {"role": "assistant", "content": "4", "reasoning_content": "2 + 2"}


def test_tools_are_shown_as_functions() -> None:
    tool = conforming(
        {"type": "function", "function": {"name": "weather", "parameters": {}}}, "ollama", "ToolDefinition"
    )
    assert template_tools([tool]) == (tool,)
    assert template_tools(None) == ()
