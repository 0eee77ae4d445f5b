"""A request says how its prompt ends, and what its answer is based on."""

from typing import Any

import pytest

from engine import ChatPrompt
from handlers.wire.openai import chat_completions as wire
from handlers.wire.refusal import InvalidParameter
from tests.unit.handlers.wire.scripted import conforming, entry

USER = {"role": "user", "content": "Hi"}
BEGUN = {"role": "assistant", "content": "The"}
CALLING = {
    "role": "assistant",
    "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}


def prompt_of(*messages: dict[str, Any], **fields: Any) -> ChatPrompt:
    body: Any = conforming(
        {"model": "demo", "messages": list(messages), **fields}, "openai", "CreateChatCompletionRequest"
    )
    prompt = wire.parse(body, entry()).prompt
    assert isinstance(prompt, ChatPrompt)
    return prompt


@pytest.mark.parametrize(
    ("messages", "fields", "opens", "goes_on"),
    [
        ((USER,), {}, True, False),
        ((USER, BEGUN), {}, True, True),
        ((USER, CALLING), {}, True, False),
        ((USER,), {"add_generation_prompt": False}, False, False),
        ((USER, BEGUN), {"add_generation_prompt": False}, False, False),
        ((USER, BEGUN), {"add_generation_prompt": False, "continue_final_message": True}, False, True),
        ((USER, BEGUN), {"continue_final_message": False}, True, False),
        ((USER, BEGUN), {"continue_final_message": None, "add_generation_prompt": None}, True, True),
        ((USER,), {"chat_template_kwargs": {"add_generation_prompt": False}}, False, False),
    ],
)
def test_a_prompt_ends_as_asked_or_within_the_assistants_last_message(
    messages: tuple[dict[str, Any], ...], fields: dict[str, Any], opens: bool, goes_on: bool
) -> None:
    prompt = prompt_of(*messages, **fields)
    assert (prompt.add_generation_prompt, prompt.continue_final_message, prompt.template_kwargs) == (opens, goes_on, {})


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"continue_final_message": True}, "the last message is not an assistant's text"),
        (
            {"continue_final_message": True, "add_generation_prompt": True},
            "cannot be true beside add_generation_prompt",
        ),
        ({"chat_template_kwargs": {"add_generation_prompt": 1}}, "expected true or false"),
        ({"chat_template_kwargs": {"add_generation_prompt": True}, "add_generation_prompt": False}, "contradicts"),
        ({"documents": [{"text": "a"}], "chat_template_kwargs": {"documents": [{"text": "b"}]}}, "send one of the two"),
    ],
)
def test_what_contradicts_itself_is_refused_by_name(fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InvalidParameter, match=complaint):
        prompt_of(USER, **fields)


def test_documents_are_a_variable_of_the_template() -> None:
    assert prompt_of(USER, documents=[{"text": "a"}]).template_kwargs == {"documents": [{"text": "a"}]}
    assert prompt_of(USER, documents=[]).template_kwargs == {}
