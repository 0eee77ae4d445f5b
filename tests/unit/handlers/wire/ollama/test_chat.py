"""`/api/chat`: messages, tools, whole calls in streams, and streams that equal whole answers."""

from typing import Any

import pytest
from hypothesis import given

from engine import ChatPrompt, ChoiceFinished, Finished, TextDelta, ToolCallDelta, ToolUse
from engine.generation import collect
from handlers.wire.ollama import chat as wire
from handlers.wire.refusal import InvalidParameter
from tests.unit.handlers.wire.scripted import TIMINGS, USAGE, conforming, entry, gather, generations, replay

USER = {"role": "user", "content": "Hi"}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
END = Finished(usage=USAGE, timings=TIMINGS)


def body(**fields: Any) -> Any:
    return conforming({"model": "demo", "messages": [USER], **fields}, "ollama", "ChatRequest")


def test_messages_and_tools_are_the_prompt() -> None:
    request = wire.parse(body(tools=[WEATHER]), entry())
    assert request.prompt == ChatPrompt(messages=(USER,), tools=(WEATHER,))
    assert (request.tool_use, request.truncate_prompt, request.return_context) == (ToolUse(), True, False)


def test_without_tools_no_call_is_looked_for() -> None:
    assert not wire.parse(body(tools=[]), entry()).tool_use


def test_tools_may_stand_beside_json() -> None:
    request = wire.parse(body(tools=[WEATHER], format="json"), entry())
    assert request.tool_use
    assert request.constraint
    assert wire.parse(body(tools=[WEATHER], format=""), entry()).constraint is None


def test_alternatives_without_logprobs_are_refused() -> None:
    with pytest.raises(InvalidParameter, match="logprobs must be true"):
        wire.parse(body(top_logprobs=2), entry())


def test_no_messages_load_the_model() -> None:
    assert wire.has_messages(body())
    assert not wire.has_messages(body(messages=[]))
    answer = conforming(wire.render_residency("demo", "load"), "ollama", "ChatResponse")
    assert (answer["message"], answer["done_reason"]) == ({"role": "assistant", "content": ""}, "load")


CALLS = [
    TextDelta(index=0, text="Let me see."),
    ToolCallDelta(index=0, call_index=0, id="call_1", name="weather", arguments='{"ci'),
    ToolCallDelta(index=0, call_index=0, arguments='ty":"Rome"}'),
    ToolCallDelta(index=0, call_index=1, id="call_2", name="clock", arguments="{}"),
    ChoiceFinished(index=0, finish_reason="tool_calls", completion_tokens=7),
    END,
]
WHOLE_CALLS = [
    {"id": "call_1", "function": {"index": 0, "name": "weather", "arguments": {"city": "Rome"}}},
    {"id": "call_2", "function": {"index": 1, "name": "clock", "arguments": {}}},
]


def test_calls_have_their_arguments_as_objects_and_end_as_an_ordinary_stop() -> None:
    answer = conforming(wire.render(collect(CALLS), body()), "ollama", "ChatResponse")
    assert answer["message"] == {"role": "assistant", "content": "Let me see.", "tool_calls": WHOLE_CALLS}
    assert answer["done_reason"] == "stop"


async def test_a_stream_sends_each_call_whole_as_soon_as_it_is_complete() -> None:
    lines = await gather(wire.chunks(replay(CALLS), body()))
    assert [line["message"] for line in lines] == [
        {"role": "assistant", "content": "Let me see."},
        {"role": "assistant", "content": "", "tool_calls": WHOLE_CALLS[:1]},
        {"role": "assistant", "content": "", "tool_calls": WHOLE_CALLS[1:]},
        {"role": "assistant", "content": ""},
    ]
    assert [line["done"] for line in lines] == [False, False, False, True]


@pytest.mark.parametrize("arguments", ['{"city": "Ro', "[1]", "Rome", ""])
async def test_a_call_without_an_object_of_arguments_is_shown_as_text(arguments: str) -> None:
    events = [
        ToolCallDelta(index=0, call_index=0, id="call_1", name="weather", arguments=arguments),
        ChoiceFinished(index=0, finish_reason="length", completion_tokens=7),
        END,
    ]
    message = {"role": "assistant", "content": arguments}
    assert wire.render(collect(events), body())["message"] == message
    assert (await gather(wire.chunks(replay(events), body())))[0]["message"] == message


@given(events=generations(most_answers=1, thinks=True))
async def test_an_accumulated_stream_equals_the_whole_answer(events: list[Any]) -> None:
    asked = body(logprobs=True)
    whole = conforming(wire.render(collect(events), asked), "ollama", "ChatResponse")
    lines = [conforming(line, "ollama", "ChatStreamEvent") for line in await gather(wire.chunks(replay(events), asked))]
    calls = [call for line in lines for call in line["message"].get("tool_calls", ())]
    thinking = "".join(line["message"].get("thinking", "") for line in lines)
    joined = {
        **lines[-1],
        "created_at": whole["created_at"],
        "message": {
            "role": "assistant",
            "content": "".join(line["message"]["content"] for line in lines),
            **({"thinking": thinking} if thinking else {}),
            **({"tool_calls": calls} if calls else {}),
        },
        "logprobs": [token for line in lines for token in line.get("logprobs", ())],
    }
    assert joined == whole
