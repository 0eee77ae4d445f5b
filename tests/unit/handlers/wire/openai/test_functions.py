"""Functions in the older form: offered as tools are, called one at a time, and answered in that form."""

from typing import Any

import pytest

from engine import ChoiceFinished, Finished, ToolCallDelta, ToolUse
from engine.generation import collect
from handlers.wire.openai import chat_completions as wire
from handlers.wire.openai.envelope import Envelope
from handlers.wire.openai.messages import template_messages
from handlers.wire.refusal import InvalidParameter
from tests.unit.handlers.wire.scripted import TIMINGS, USAGE, conforming, entry, gather, replay

ENVELOPE = Envelope("chatcmpl-1", 1_763_000_000, "demo", "fp_1")
WEATHER = {"name": "weather", "description": "The weather", "parameters": {"type": "object"}}
EVENTS = [
    ToolCallDelta(index=0, call_index=0, id="call_1", name="weather", arguments='{"city":'),
    ToolCallDelta(index=0, call_index=0, arguments='"Rome"}'),
    ChoiceFinished(index=0, finish_reason="tool_calls", completion_tokens=5),
    Finished(usage=USAGE, timings=TIMINGS),
]


def parse(**fields: Any) -> Any:
    given = {"model": "demo", "messages": [{"role": "user", "content": "Hi"}], **fields}
    return wire.parse(conforming(given, "openai", "CreateChatCompletionRequest"), entry())


@pytest.mark.parametrize(
    ("choice", "use"),
    [
        ({}, ToolUse(in_parallel=False)),
        ({"function_call": "auto"}, ToolUse(in_parallel=False)),
        ({"function_call": {"name": "weather"}}, ToolUse(is_required=True, names=("weather",), in_parallel=False)),
        ({"function_call": "none"}, None),
    ],
)
def test_functions_are_offered_as_tools_of_which_one_is_called(choice: dict[str, Any], use: ToolUse | None) -> None:
    request = parse(functions=[WEATHER], **choice)
    assert request.tool_use == use
    assert request.prompt.tools == (({"type": "function", "function": WEATHER},) if use else ())


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"functions": [WEATHER], "tools": [{"type": "function", "function": WEATHER}]}, "functions"),
        ({"functions": [WEATHER], "function_call": {"name": "time"}}, "function_call.name"),
        ({"function_call": {"name": "weather"}}, "function_call"),
    ],
)
def test_what_does_not_fit_together_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        parse(**fields)
    assert refusal.value.param == param


def test_a_whole_answer_has_its_call_in_the_older_form() -> None:
    answer = wire.render(collect(EVENTS), ENVELOPE, functions=True)
    (choice,) = conforming(answer, "openai", "CreateChatCompletionResponse")["choices"]
    assert choice["message"]["function_call"] == {"name": "weather", "arguments": '{"city":"Rome"}'}
    assert "tool_calls" not in choice["message"]
    assert choice["finish_reason"] == "function_call"


async def test_a_stream_has_its_call_in_the_older_form() -> None:
    chunks = await gather(wire.chunks(replay(EVENTS), ENVELOPE, n=1, functions=True))
    choices = [conforming(c, "openai", "CreateChatCompletionStreamResponse")["choices"][0] for c in chunks]
    assert [choice["delta"].get("function_call") for choice in choices] == [
        None, {"name": "weather", "arguments": '{"city":'}, {"arguments": '"Rome"}'}, None,
    ]  # fmt: skip
    assert choices[-1]["finish_reason"] == "function_call"


def test_a_call_in_the_history_reaches_the_template_as_a_call_of_a_tool() -> None:
    message: Any = {
        "role": "assistant",
        "content": None,
        "function_call": {"name": "weather", "arguments": '{"city": "Rome"}'},
    }
    (shown,) = template_messages([message])
    assert shown["tool_calls"] == [
        {"type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}
    ]
