"""An answer's items and the events of its stream: their order, numbers and texts, and that the stream amounts to the whole."""

from typing import Any

import pytest
from hypothesis import given

from engine import ChoiceFinished, Finished, ReasoningDelta, TextDelta, ToolCallDelta, Usage
from handlers.wire.openai import responses as wire
from handlers.wire.openai.envelope import Envelope
from handlers.wire.openai.responses_output import Answer
from handlers.wire.openai.sealed_reasoning import unsealed
from tests.unit.handlers.wire.scripted import TIMINGS, USAGE, conforming, gather, generations, replay

ENVELOPE = Envelope("resp_1", 1_763_000_000, "demo", "fp_1")
LOGPROBS = "message.output_text.logprobs"
CUSTOM = {"type": "custom", "name": "run"}
PREFIXES = {"message": "msg_", "reasoning": "rs_", "function_call": "fc_", "custom_tool_call": "ctc_"}
ENDS = {"response.completed", "response.incomplete", "response.failed"}


def answer(**fields: Any) -> Answer:
    body: Any = conforming({"model": "demo", "input": "Hi", **fields}, "openai", "CreateResponse")
    return Answer(wire.form(body, ENVELOPE))


def ended(reason: Any = "stop") -> list[Any]:
    end = ChoiceFinished(index=0, finish_reason=reason, completion_tokens=4)
    return [end, Finished(usage=USAGE, timings=TIMINGS)]


def call(number: int, name: str, *pieces: str) -> list[Any]:
    first = ToolCallDelta(index=0, call_index=number, id=f"call_{number}", name=name, arguments="")
    return [first, *(ToolCallDelta(index=0, call_index=number, arguments=piece) for piece in pieces)]


async def streamed(events: list[Any], **fields: Any) -> list[dict[str, Any]]:
    told = await gather(answer(**fields).events(replay(events)))
    return [conforming(event, "openai", "ResponseStreamEvent") for event in told]


async def whole(events: list[Any], **fields: Any) -> dict[str, Any]:
    response: dict[str, Any] = conforming(await answer(**fields).whole(replay(events)), "openai", "Response")
    return response


async def test_a_text_is_told_from_the_answers_beginning_to_its_end() -> None:
    events = await streamed([TextDelta(index=0, text="Hel"), TextDelta(index=0, text="lo"), *ended()])
    assert [event["type"] for event in events] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event["sequence_number"] for event in events] == list(range(10))
    assert [event["delta"] for event in events[4:6]] == ["Hel", "lo"]
    part = {"type": "output_text", "text": "Hello", "annotations": [], "logprobs": []}
    assert (events[6]["text"], events[7]["part"]) == ("Hello", part)
    item = {"type": "message", "id": events[2]["item"]["id"], "role": "assistant"}
    assert events[2]["item"] == {**item, "content": [], "status": "in_progress"}
    assert events[8]["item"] == {**item, "content": [part], "status": "completed"}
    assert events[9]["response"]["output"] == [events[8]["item"]]


async def test_an_answer_has_its_state_at_each_time() -> None:
    created, running, *_, last = await streamed([TextDelta(index=0, text="Hello"), *ended()])
    for event in (created, running):
        assert (event["response"]["status"], event["response"]["output"]) == ("in_progress", [])
        assert "usage" not in event["response"]
    assert last["response"]["status"] == "completed"
    assert last["response"]["completed_at"] >= last["response"]["created_at"]


async def test_usage_counts_every_token() -> None:
    usage = Usage(prompt_tokens=11, completion_tokens=7, cached_tokens=3, reasoning_tokens=2)
    assert (await whole([*ended()[:1], Finished(usage=usage, timings=TIMINGS)]))["usage"] == {
        "input_tokens": 11,
        "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 8},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 18,
    }


async def test_thinking_is_an_item_of_its_own_before_the_message() -> None:
    events = await streamed([ReasoningDelta(index=0, text="Hm."), TextDelta(index=0, text="Paris."), *ended()])
    told = [event["type"].removeprefix("response.") for event in events if event.get("output_index") == 0]
    assert told == [
        "output_item.added",
        "content_part.added",
        "reasoning_text.delta",
        "reasoning_text.done",
        "content_part.done",
        "output_item.done",
    ]
    thinking, message = events[-1]["response"]["output"]
    assert (thinking["content"], thinking["summary"]) == ([{"type": "reasoning_text", "text": "Hm."}], [])
    assert "encrypted_content" not in thinking
    assert message["content"][0]["text"] == "Paris."


async def test_thinking_comes_in_one_text_too_where_asked_for() -> None:
    events = [ReasoningDelta(index=0, text="Ähm."), *ended()]
    [thinking, _] = (await whole(events, include=["reasoning.encrypted_content"]))["output"]
    assert unsealed(thinking["encrypted_content"]) == "Ähm."


async def test_a_call_is_told_by_its_arguments() -> None:
    events = await streamed([*call(0, "weather", '{"city":', '"Rome"}'), *ended("tool_calls")])
    assert [event["type"].removeprefix("response.") for event in events[2:]] == [
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]
    assert events[2]["item"]["arguments"] == ""
    assert (events[5]["name"], events[5]["arguments"]) == ("weather", '{"city":"Rome"}')
    [item] = events[-1]["response"]["output"]
    assert (item["call_id"], item["status"], item["arguments"]) == ("call_0", "completed", '{"city":"Rome"}')


async def test_a_custom_tools_call_is_told_by_its_input() -> None:
    pieces = ['{"inp', 'ut": "a', "\\", "n", '"}']
    events = await streamed([*call(0, "run", *pieces), *ended("tool_calls")], tools=[CUSTOM])
    deltas = [event["delta"] for event in events if event["type"] == "response.custom_tool_call_input.delta"]
    assert deltas == ["a", "\n"]
    [item] = events[-1]["response"]["output"]
    assert (item["type"], item["input"], item["name"]) == ("custom_tool_call", "a\n", "run")


@pytest.mark.parametrize(
    ("events", "output", "status"),
    [
        ([TextDelta(index=0, text="Hel")], ["message"], "incomplete"),
        ([ReasoningDelta(index=0, text="Hm")], ["reasoning"], "incomplete"),
        (call(0, "weather", '{"ci'), ["function_call"], "incomplete"),
        ([], [], None),
    ],
)
async def test_an_answer_at_its_limit_is_incomplete_and_says_why(events: Any, output: Any, status: Any) -> None:
    response = await whole([*events, *ended("length")])
    assert (response["status"], response["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert [item["type"] for item in response["output"]] == output
    assert all(item["status"] == status for item in response["output"])
    assert response["completed_at"] is None


async def test_a_call_that_a_stop_string_cuts_is_incomplete() -> None:
    response = await whole([*call(0, "weather", '{"ci'), *ended()])
    assert (response["status"], response["output"][0]["status"]) == ("completed", "incomplete")


@pytest.mark.parametrize("events", [[], [ReasoningDelta(index=0, text="Hm.")]])
async def test_an_answer_that_says_nothing_has_an_empty_message(events: Any) -> None:
    response = await whole([*events, *ended()])
    assert response["output"][-1]["content"][0]["text"] == ""


async def test_an_answer_that_fails_says_so_with_what_it_had() -> None:
    failing = answer()
    told = await gather(failing.events(replay([TextDelta(index=0, text="Hel")])))
    last = conforming(failing.failed("the worker died", 500), "openai", "ResponseStreamEvent")
    assert last["sequence_number"] == len(told)
    response = last["response"]
    assert (response["status"], response["error"]) == (
        "failed",
        {"code": "server_error", "message": "the worker died"},
    )
    assert (response["output"][0]["status"], response["output"][0]["content"][0]["text"]) == ("incomplete", "Hel")


@given(events=generations(most_answers=1, thinks=True))
async def test_a_stream_amounts_to_the_whole_answer(events: list[Any]) -> None:
    fields = {"include": [LOGPROBS, "reasoning.encrypted_content"], "tools": [{**CUSTOM, "name": "tool_1"}]}
    told = await streamed(events, **fields)
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    assert [event["type"] for event in told if event["type"] in ENDS] == [told[-1]["type"]]
    assert accumulated(told) == without_ids(told[-1]["response"]["output"])
    assert without_ids((await whole(events, **fields))["output"]) == accumulated(told)


@given(events=generations(most_answers=1, thinks=True))
async def test_every_item_has_an_id_of_its_kind_and_its_events_name_it(events: list[Any]) -> None:
    told = await streamed(events)
    output = told[-1]["response"]["output"]
    assert all(item["id"].startswith(PREFIXES[item["type"]]) for item in output)
    assert len({item["id"] for item in output}) == len(output)
    named = [event for event in told if "item_id" in event]
    assert all(output[event["output_index"]]["id"] == event["item_id"] for event in named)
    indices = [event["output_index"] for event in told if "output_index" in event]
    assert indices == sorted(indices)


def without_ids(output: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in item.items() if key != "id"} for item in output]


def accumulated(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The output that a client puts together of the deltas alone, with the statuses and sealed texts of the items' ends."""
    items: list[dict[str, Any]] = []
    for event in told:
        match event["type"].removeprefix("response."):
            case "output_item.added":
                items.append(dict(event["item"]))
            case "content_part.added":
                items[-1]["content"] = [{**event["part"]}]
            case "output_text.delta":
                part = items[-1]["content"][0]
                part["text"] += event["delta"]
                part["logprobs"] = [*part["logprobs"], *event["logprobs"]]
            case "reasoning_text.delta":
                items[-1]["content"][0]["text"] += event["delta"]
            case "function_call_arguments.delta":
                items[-1]["arguments"] += event["delta"]
            case "custom_tool_call_input.delta":
                items[-1]["input"] += event["delta"]
            case "output_item.done":
                last = event["item"]
                items[-1] |= {key: last[key] for key in ("status", "encrypted_content") if key in last}
    return without_ids(items)
