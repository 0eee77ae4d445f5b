"""Items of a conversation as messages for a template: which of them are one message, and what stands in each."""

from typing import Any

import pytest

from handlers.wire.openai.responses_input import Conversation, parse_input
from handlers.wire.openai.sealed_reasoning import sealed
from handlers.wire.refusal import InvalidParameter
from tests.unit.handlers.wire.scripted import conforming

USER = {"role": "user", "content": "Hi"}
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]}
CALL = {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": '{"city": "Rome"}'}
CUSTOM_CALL = {"type": "custom_tool_call", "call_id": "call_2", "name": "run", "input": "1\n2"}
SAID = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "Wait.", "annotations": [], "logprobs": []}],
}
PNG = "data:image/png;base64,AAAA"


def conversation(given: Any, **fields: Any) -> Conversation:
    return parse_input(conforming({"model": "demo", "input": given, **fields}, "openai", "CreateResponse"))


def messages(*items: Any) -> tuple[dict[str, Any], ...]:
    return conversation(list(items)).messages


def called(*calls: tuple[str, str, Any]) -> list[dict[str, Any]]:
    return [
        {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
        for call_id, name, arguments in calls
    ]


def test_a_text_is_what_the_user_says() -> None:
    assert conversation("Hi").messages == ({"role": "user", "content": "Hi"},)


def test_instructions_stand_first_as_a_system_message() -> None:
    given = conversation([USER], instructions="Be brief.")
    assert given.messages == ({"role": "system", "content": "Be brief."}, USER)
    assert given.places == ("instructions", "input[0]")


@pytest.mark.parametrize("role", ["user", "system", "developer", "assistant"])
def test_a_message_of_any_role_needs_no_type(role: str) -> None:
    said = {"role": role, "content": [{"type": "input_text", "text": "Hi"}]}
    assert messages(said) == messages({**said, "type": "message"})
    assert messages(said)[0] == {"role": role, "content": [{"type": "text", "text": "Hi"}]}


def test_text_and_refusals_of_earlier_answers_are_text() -> None:
    parts = [{"type": "output_text", "text": "No."}, {"type": "refusal", "refusal": "I can't."}]
    [said] = messages({"role": "assistant", "content": parts})
    assert [part["text"] for part in said["content"]] == ["No.", "I can't."]


def test_thoughts_text_and_calls_that_follow_each_other_are_one_message() -> None:
    assert messages(USER, THOUGHT, SAID, CALL, CUSTOM_CALL) == (
        USER,
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "Wait."}],
            "reasoning_content": "Hm.",
            "tool_calls": called(("call_1", "weather", '{"city": "Rome"}'), ("call_2", "run", {"input": "1\n2"})),
        },
    )


@pytest.mark.parametrize("items", [(SAID, SAID), (CALL, SAID), (CALL, THOUGHT), (SAID, THOUGHT)])
def test_what_comes_out_of_that_order_begins_another_message(items: Any) -> None:
    assert [message["role"] for message in messages(USER, *items)] == ["user", "assistant", "assistant"]


def test_an_output_answers_its_call_by_name() -> None:
    output = {"type": "function_call_output", "call_id": "call_1", "output": "Sunny"}
    custom = {"type": "custom_tool_call_output", "call_id": "call_2", "output": [{"type": "input_text", "text": "3"}]}
    assert messages(USER, CALL, CUSTOM_CALL, output, custom)[2:] == (
        {"role": "tool", "content": "Sunny", "tool_call_id": "call_1", "name": "weather"},
        {"role": "tool", "content": [{"type": "text", "text": "3"}], "tool_call_id": "call_2", "name": "run"},
    )


def test_an_output_without_its_call_has_the_name_that_it_brings() -> None:
    output = {"type": "function_call_output", "call_id": "call_9", "output": "Sunny"}
    assert "name" not in messages(output)[0]
    assert messages({**output, "name": "weather"})[0]["name"] == "weather"


@pytest.mark.parametrize(
    ("fields", "thoughts"),
    [
        ({"content": [{"type": "reasoning_text", "text": "Hm."}], "encrypted_content": "foreign"}, "Hm."),
        ({"encrypted_content": sealed("Ähm.")}, "Ähm."),
        ({"summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}]}, "a\n\nb"),
    ],
)
def test_thoughts_come_back_in_what_the_client_kept_of_them(fields: Any, thoughts: str) -> None:
    _, said = messages(USER, {"type": "reasoning", "summary": [], **fields})
    assert said == {"role": "assistant", "content": "", "reasoning_content": thoughts}


def test_empty_thoughts_are_no_message() -> None:
    nothing = {"type": "reasoning", "id": "rs_1", "summary": []}
    assert messages(USER, nothing) == (USER,)
    with pytest.raises(InvalidParameter, match="only empty thinking"):
        messages(nothing)


def test_thoughts_sealed_elsewhere_are_refused_by_name() -> None:
    for text in ("gAAAA", "tl1.!", "tl1.AAA", "tl1._w=="):
        with pytest.raises(InvalidParameter) as refusal:
            messages(USER, {"type": "reasoning", "summary": [], "encrypted_content": text})
        assert refusal.value.param == "input[1].encrypted_content"


def test_pictures_are_found_in_messages_and_in_outputs_in_their_order() -> None:
    picture = {"type": "input_image", "image_url": PNG, "detail": "low"}
    given = conversation(
        [
            {"role": "user", "content": [{"type": "input_text", "text": "Look"}, picture]},
            CALL,
            {"type": "function_call_output", "call_id": "call_1", "output": [{**picture, "detail": "auto"}]},
        ]
    )
    assert [(source.where, source.base64, source.most_side_pixels) for source in given.media] == [
        ("input[0].content[1]", "AAAA", 512),
        ("input[2].output[0]", "AAAA", None),
    ]
    assert given.messages[0]["content"][1] == given.messages[2]["content"][0] == {"type": "image"}


def test_a_picture_without_an_address_is_refused_by_name() -> None:
    with pytest.raises(InvalidParameter) as refusal:
        messages({"role": "user", "content": [{"type": "input_image", "detail": "auto"}]})
    assert refusal.value.param == "input[0].content[0].image_url"
