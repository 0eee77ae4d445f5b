"""How a request asks for thinking, where thinking goes in answers, and how it comes back in a conversation's history."""

from typing import Any

import pytest

from engine import ChoiceFinished, Finished, ReasoningDelta, TextDelta, Usage
from engine.generation import collect
from handlers.wire.openai import chat_completions as wire
from handlers.wire.openai.envelope import Envelope
from handlers.wire.openai.messages import template_messages
from handlers.wire.refusal import InvalidParameter
from tests.unit.handlers.wire.scripted import TIMINGS, conforming, entry, gather, replay

ENVELOPE = Envelope("chatcmpl-1", 1_763_000_000, "demo", "fp_1")
THINKING = entry(capabilities=("completion", "thinking"))
EVENTS = [
    ReasoningDelta(index=0, text="Hm."),
    TextDelta(index=0, text="Paris."),
    ChoiceFinished(index=0, finish_reason="stop", completion_tokens=5),
    Finished(usage=Usage(prompt_tokens=3, completion_tokens=5, reasoning_tokens=2), timings=TIMINGS),
]


def asked_of(model: Any, **fields: Any) -> Any:
    given = {"model": "demo", "messages": [{"role": "user", "content": "Hi"}], **fields}
    return wire.parse(conforming(given, "openai", "CreateChatCompletionRequest"), model)


@pytest.mark.parametrize("effort", [None, "none", "minimal", "medium", "high"])
def test_an_effort_reaches_the_model_that_thinks(effort: str | None) -> None:
    assert asked_of(THINKING, reasoning_effort=effort).prompt.reasoning_effort == effort


@pytest.mark.parametrize("effort", [None, "none", "medium"])
def test_a_model_that_does_not_think_is_asked_for_no_effort(effort: str | None) -> None:
    assert asked_of(entry(), reasoning_effort=effort).prompt.reasoning_effort is None


@pytest.mark.parametrize("budget", [None, -1, 0, 500])
def test_a_budget_reaches_the_model_that_thinks(budget: int | None) -> None:
    assert asked_of(THINKING, reasoning_budget_tokens=budget).reasoning_budget_tokens == budget


def test_a_budget_is_refused_where_there_is_no_thinking_to_end() -> None:
    with pytest.raises(InvalidParameter, match="reasoning_budget_tokens: the model 'demo' does not reason"):
        asked_of(entry(), reasoning_budget_tokens=5)
    with pytest.raises(InvalidParameter, match="5 contradicts reasoning_effort"):
        asked_of(THINKING, reasoning_budget_tokens=5, reasoning_effort="none")
    assert asked_of(THINKING, reasoning_budget_tokens=0, reasoning_effort="none").reasoning_budget_tokens == 0


def test_an_effort_that_the_model_cannot_make_is_refused_by_name() -> None:
    with pytest.raises(InvalidParameter, match="reasoning_effort: the model 'demo' does not reason"):
        asked_of(entry(), reasoning_effort="high")


def test_template_variables_reach_the_template_beside_the_effort() -> None:
    given = {"enable_thinking": False, "custom_instructions": "Be brief."}
    prompt = asked_of(THINKING, reasoning_effort="low", chat_template_kwargs=given).prompt
    assert (prompt.template_kwargs, prompt.reasoning_effort) == (given, "low")


@pytest.mark.parametrize("name", ["messages", "tools"])
def test_variables_that_hold_the_conversation_are_refused_by_name(name: str) -> None:
    with pytest.raises(InvalidParameter, match=rf"chat_template_kwargs\.{name}"):
        asked_of(THINKING, chat_template_kwargs={name: []})


def test_thinking_goes_by_the_other_name_where_the_server_is_set_so() -> None:
    answer = wire.render(collect(EVENTS), ENVELOPE, reasoning_field="reasoning")
    message = conforming(answer, "openai", "CreateChatCompletionResponse")["choices"][0]["message"]
    assert message["reasoning"] == "Hm."
    assert "reasoning_content" not in message


async def test_a_stream_s_thinking_goes_by_the_other_name_where_the_server_is_set_so() -> None:
    chunks = await gather(wire.chunks(replay(EVENTS), ENVELOPE, n=1, reasoning_field="reasoning"))
    assert conforming(chunks[1], "openai", "CreateChatCompletionStreamResponse")["choices"][0]["delta"] == {
        "reasoning": "Hm."
    }


def test_a_whole_answer_has_its_thinking_beside_its_content_and_counts_it() -> None:
    answer = wire.render(collect(EVENTS), ENVELOPE, logprobs=False)
    conforming(answer, "openai", "CreateChatCompletionResponse")
    message = answer["choices"][0]["message"]
    assert (message["reasoning_content"], message["content"]) == ("Hm.", "Paris.")
    assert answer["usage"]["completion_tokens_details"]["reasoning_tokens"] == 2


async def test_a_stream_has_its_thinking_in_deltas_of_their_own() -> None:
    chunks = await gather(wire.chunks(replay(EVENTS), ENVELOPE, n=1, logprobs=False, include_usage=False))
    for chunk in chunks:
        conforming(chunk, "openai", "CreateChatCompletionStreamResponse")
    assert [chunk["choices"][0]["delta"] for chunk in chunks[1:3]] == [
        {"reasoning_content": "Hm."},
        {"content": "Paris."},
    ]


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thinking_in_the_history_reaches_the_template_under_either_name(name: str) -> None:
    message: Any = {"role": "assistant", "content": "Paris.", name: "Hm."}
    assert template_messages([message]) == ({"role": "assistant", "content": "Paris.", "reasoning_content": "Hm."},)
