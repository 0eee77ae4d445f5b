"""OpenAI's messages become what chat templates expect."""

from typing import Any

import pytest

from handlers.wire.openai.messages import template_messages
from handlers.wire.refusal import InvalidParameter
from tests.unit.handlers.wire.scripted import conforming


def rendered(*messages: dict[str, Any]) -> list[dict[str, Any]]:
    for message in messages:
        conforming(message, "openai", "ChatCompletionRequestMessage")
    return list(template_messages(messages))  # type: ignore[arg-type]


def call(arguments: Any, call_id: str = "call_1") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": "weather", "arguments": arguments}}


def test_plain_messages_stay_as_they_are() -> None:
    messages = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi", "name": "Ada"})
    assert rendered(*messages) == list(messages)


def test_roles_and_text_parts_are_left_for_the_template_to_know() -> None:
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    messages = ({"role": "developer", "content": "Be brief."}, {"role": "user", "content": parts})
    assert rendered(*messages) == list(messages)


def test_what_an_assistant_declined_with_is_what_it_said() -> None:
    parts = [{"type": "text", "text": "Hm."}, {"type": "refusal", "refusal": "No."}]
    in_parts = {"role": "assistant", "content": [{"type": "text", "text": "Hm."}, {"type": "text", "text": "No."}]}
    assert rendered({"role": "assistant", "content": parts}) == [in_parts]
    assert rendered({"role": "assistant", "content": parts[:1], "refusal": "No."}) == [in_parts]
    beside_text = {"role": "assistant", "content": "Hm.", "refusal": "No."}
    assert rendered(beside_text) == [{"role": "assistant", "content": "Hm.\nNo."}]
    alone = {"role": "assistant", "refusal": "No."}
    assert rendered(alone) == [{"role": "assistant", "content": "No."}]


@pytest.mark.parametrize("message", [{"role": "assistant"}, {"role": "assistant", "content": None, "refusal": None}])
def test_absent_content_is_empty_text(message: dict[str, Any]) -> None:
    assert rendered(message) == [{"role": "assistant", "content": ""}]


@pytest.mark.parametrize(
    "arguments", ['{"city": "Rome"}', '{"city": ', "", "[1]", "NaN", "null", "[" * 3000, {"city": "Rome"}]
)
def test_arguments_of_earlier_calls_stay_what_they_were(arguments: Any) -> None:
    [message] = rendered({"role": "assistant", "tool_calls": [call(arguments)]})
    assert message["tool_calls"][0]["function"]["arguments"] == arguments


def test_a_tools_answer_is_named_after_the_call_that_it_answers() -> None:
    history = {"role": "assistant", "tool_calls": [call("{}", "call_7")]}
    answers = rendered(
        history,
        {"role": "tool", "tool_call_id": "call_7", "content": [{"type": "text", "text": "sunny"}]},
        {"role": "tool", "tool_call_id": "call_8", "content": "?"},
    )
    assert answers[1:] == [
        {
            "role": "tool",
            "content": [{"type": "text", "text": "sunny"}],
            "tool_call_id": "call_7",
            "name": "weather",
        },
        {"role": "tool", "content": "?", "tool_call_id": "call_8"},
    ]


def test_the_older_function_role_is_a_tools_answer() -> None:
    message = {"role": "function", "name": "weather", "content": None}
    assert rendered(message) == [{"role": "tool", "content": "", "name": "weather"}]


def test_a_part_that_is_a_file_is_refused_by_its_place() -> None:
    file = {"type": "file", "file": {"file_id": "x"}}
    with pytest.raises(InvalidParameter) as refusal:
        rendered({"role": "user", "content": "Hi"}, {"role": "user", "content": [file]})
    assert (refusal.value.param, refusal.value.code) == ("messages[1].content[0]", "unsupported_parameter")
