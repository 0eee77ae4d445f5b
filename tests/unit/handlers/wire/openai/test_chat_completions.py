"""Chat completions: each field that is honoured, the shapes of answers, and streams that equal whole answers."""

from typing import Any

import pytest
from hypothesis import given

from engine import (
    ChatPrompt,
    ChoiceFinished,
    Finished,
    JsonConstraint,
    Mirostat,
    SamplingParams,
    TextDelta,
    ToolCallDelta,
    ToolUse,
)
from engine.generation import collect
from handlers.wire.openai import chat_completions as wire
from handlers.wire.openai.envelope import Envelope, new_envelope
from handlers.wire.refusal import InvalidParameter
from tests.unit.handlers.wire.llama_cpp_samplers import LLAMA_CPP_FIELDS, LLAMA_CPP_PARAMS
from tests.unit.handlers.wire.scripted import TIMINGS, USAGE, conforming, entry, gather, generations, replay

ENVELOPE = Envelope("chatcmpl-1", 1_763_000_000, "demo", "fp_1")
USER = {"role": "user", "content": "Hi"}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def body(**fields: Any) -> Any:
    return conforming({"model": "demo", "messages": [USER], **fields}, "openai", "CreateChatCompletionRequest")


def test_without_options_it_samples_the_plain_distribution_until_the_model_ends() -> None:
    request = wire.parse(body(), entry())
    assert request.sampling == SamplingParams(temperature=1.0, top_p=1.0, top_k=0)
    assert request.prompt == ChatPrompt(messages=({"role": "user", "content": "Hi"},))
    assert (request.max_tokens, request.n, request.logprobs, request.stop) == (None, 1, None, ())
    assert not request.truncate_prompt


def test_null_means_the_default_for_every_field_that_may_be_null() -> None:
    nullable = ("temperature", "top_p", "n", "stop", "logit_bias", "logprobs", "top_logprobs", "seed", "max_tokens")
    ours = ("top_k", "min_p", "typical_p", "repeat_penalty", "repeat_last_n", "mirostat", "ignore_eos", "keep_alive")
    nulls = dict.fromkeys((*nullable, *ours, "max_completion_tokens", "stream", "stream_options"))
    assert wire.parse(body(**nulls), entry()) == wire.parse(body(), entry())


def test_every_sampling_field_reaches_the_engine() -> None:
    fields = {
        "temperature": 0.5, "top_p": 0.25, "top_k": 7, "min_p": 0.125, "typical_p": 0.75, "repeat_penalty": 1.5,
        "presence_penalty": -2, "frequency_penalty": 2, "repeat_last_n": -1, "seed": -(2**63),
    }  # fmt: skip
    bias = {"logit_bias": {"5": -100, "17": 3}}
    mirostat = {"mirostat": 2, "mirostat_tau": 4, "mirostat_eta": 0.5}
    assert wire.parse(body(**fields, **bias, **mirostat), entry()).sampling == SamplingParams(
        **fields, logit_bias={5: -100.0, 17: 3.0}, mirostat=Mirostat(version=2, tau=4, eta=0.5)
    )


def test_llama_cpps_other_samplers_are_fields_too() -> None:
    assert wire.parse(body(**LLAMA_CPP_FIELDS), entry()).sampling == SamplingParams(**LLAMA_CPP_PARAMS)


@pytest.mark.parametrize("stop", ["END", ["END"]])
def test_stop_is_one_string_or_several(stop: Any) -> None:
    assert wire.parse(body(stop=stop), entry()).stop == ("END",)


@pytest.mark.parametrize("fields", [{"max_tokens": 5}, {"max_completion_tokens": 5}])
def test_either_name_limits_the_tokens(fields: dict[str, int]) -> None:
    assert wire.parse(body(**fields), entry()).max_tokens == 5


def test_two_limits_are_accepted_only_when_they_agree() -> None:
    assert wire.parse(body(max_tokens=5, max_completion_tokens=5), entry()).max_tokens == 5
    with pytest.raises(InvalidParameter, match=r"max_tokens: 5 contradicts max_completion_tokens, which is 6"):
        wire.parse(body(max_tokens=5, max_completion_tokens=6), entry())


def test_logprobs_report_the_alternatives_asked_for() -> None:
    assert wire.parse(body(logprobs=True), entry()).logprobs == 0
    assert wire.parse(body(logprobs=True, top_logprobs=20), entry()).logprobs == 20
    assert wire.parse(body(top_logprobs=0), entry()).logprobs is None


def test_alternatives_without_logprobs_are_refused() -> None:
    with pytest.raises(InvalidParameter, match="logprobs must be true"):
        wire.parse(body(top_logprobs=2), entry())


def test_options_of_a_stream_need_a_stream() -> None:
    with pytest.raises(InvalidParameter, match="stream must be true"):
        wire.parse(body(stream_options={"include_usage": True}), entry())
    assert wire.parse(body(stream=True, stream_options={"include_usage": True}), entry())


@pytest.mark.parametrize(
    ("form", "constraint"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, JsonConstraint(schema='{"type":"object"}')),
        ({"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "array"}}}, JsonConstraint(schema='{"type":"array"}')),
        ({"type": "json_schema", "json_schema": {"name": "x"}}, JsonConstraint(schema='{"type":"object"}')),
    ],
)  # fmt: skip
def test_response_format_becomes_a_constraint(form: Any, constraint: JsonConstraint | None) -> None:
    assert wire.parse(body(response_format=form), entry()).constraint == constraint


def test_a_schema_too_deep_to_write_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(5000):
        schema = {"items": schema}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    with pytest.raises(InvalidParameter, match="nested too deeply"):
        wire.parse({"model": "demo", "messages": [USER], "response_format": form}, entry())


def test_tools_are_shown_to_the_model_and_calls_recognised() -> None:
    request = wire.parse(body(tools=[WEATHER]), entry())
    assert request.tool_use == ToolUse()
    assert isinstance(request.prompt, ChatPrompt)
    assert request.prompt.tools == (WEATHER,)


@pytest.mark.parametrize("fields", [{"tools": [WEATHER], "tool_choice": "none"}, {"tools": []}])
def test_without_tools_to_call_none_are_shown_and_no_call_is_looked_for(fields: dict[str, Any]) -> None:
    assert wire.parse(body(**fields), entry()) == wire.parse(body(), entry())


def test_tools_may_stand_beside_json() -> None:
    request = wire.parse(body(tools=[WEATHER], response_format={"type": "json_object"}), entry())
    assert request.tool_use
    assert request.constraint


def test_our_own_fields_reach_the_engine() -> None:
    request = wire.parse(body(ignore_eos=True, keep_alive="5m", n=3), entry())
    assert (request.ignore_eos, request.keep_alive_seconds, request.n) == (True, 300.0, 3)


def test_ids_differ_and_the_fingerprint_follows_the_model_file() -> None:
    one, other = (new_envelope("chatcmpl-", "demo", entry()) for _ in range(2))
    assert one.id != other.id
    assert one.id.startswith("chatcmpl-")
    assert one.system_fingerprint == other.system_fingerprint
    assert new_envelope("chatcmpl-", "demo", entry("larger")).system_fingerprint != one.system_fingerprint


def test_the_shape_of_a_whole_answer() -> None:
    events = [
        TextDelta(index=0, text="Hello"),
        ChoiceFinished(index=0, finish_reason="stop", completion_tokens=7),
        Finished(usage=USAGE, timings=TIMINGS),
    ]
    assert conforming(
        wire.render(collect(events), ENVELOPE, logprobs=False), "openai", "CreateChatCompletionResponse"
    ) == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_763_000_000,
        "model": "demo",
        "system_fingerprint": "fp_1",
        "service_tier": "default",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 11,
            "completion_tokens": 7,
            "total_tokens": 18,
            "prompt_tokens_details": {"cached_tokens": 3, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
    }


async def test_the_order_of_a_stream_is_roles_then_deltas_then_finish_then_usage() -> None:
    events = [
        TextDelta(index=0, text="Hel"),
        ToolCallDelta(index=1, call_index=0, id="call_1", name="weather", arguments='{"c'),
        ToolCallDelta(index=1, call_index=0, arguments='":1}'),
        ChoiceFinished(index=0, finish_reason="stop", completion_tokens=1),
        ChoiceFinished(index=1, finish_reason="tool_calls", completion_tokens=6),
        Finished(usage=USAGE, timings=TIMINGS),
    ]
    chunks = await gather(wire.chunks(replay(events), ENVELOPE, n=2, logprobs=False, include_usage=True))
    deltas = [
        (choice["index"], choice["delta"], choice["finish_reason"]) for chunk in chunks for choice in chunk["choices"]
    ]
    role = {"role": "assistant", "content": "", "refusal": None}
    assert deltas == [
        (0, role, None),
        (1, role, None),
        (0, {"content": "Hel"}, None),
        (1, {"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"c'}}]}, None),
        (1, {"tool_calls": [{"index": 0, "function": {"arguments": '":1}'}}]}, None),
        (0, {}, "stop"),
        (1, {}, "tool_calls"),
    ]  # fmt: skip
    assert [chunk["usage"] for chunk in chunks[:-1]] == [None] * 7
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] == 18


async def test_usage_is_not_mentioned_in_a_stream_that_did_not_ask_for_it() -> None:
    events = [
        ChoiceFinished(index=0, finish_reason="length", completion_tokens=0),
        Finished(usage=USAGE, timings=TIMINGS),
    ]
    chunks = await gather(wire.chunks(replay(events), ENVELOPE, n=1, logprobs=False, include_usage=False))
    assert len(chunks) == 2
    assert not any("usage" in chunk for chunk in chunks)


@given(events=generations(thinks=True))
async def test_an_accumulated_stream_equals_the_whole_answer(events: list[Any]) -> None:
    whole = conforming(wire.render(collect(events), ENVELOPE, logprobs=True), "openai", "CreateChatCompletionResponse")
    n = len(whole["choices"])
    chunks = await gather(wire.chunks(replay(events), ENVELOPE, n=n, logprobs=True, include_usage=True))
    for chunk in chunks:
        conforming(chunk, "openai", "CreateChatCompletionStreamResponse")
    assert accumulated(chunks) == whole


def accumulated(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """What a client makes of a stream: the body that it would have got whole."""
    choices: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for piece in chunk["choices"]:
            choice = choices.setdefault(
                piece["index"], {"index": piece["index"], "logprobs": {"content": [], "refusal": None}}
            )
            _add(choice, piece)
    for choice in choices.values():
        if "tool_calls" in choice["message"]:
            choice["message"]["tool_calls"] = list(choice["message"]["tool_calls"].values())
            choice["message"]["content"] = choice["message"]["content"] or None
    frame = {key: value for key, value in chunks[-1].items() if key not in ("choices", "object")}
    return {**frame, "object": "chat.completion", "choices": [choices[index] for index in sorted(choices)]}


def _add(choice: dict[str, Any], piece: dict[str, Any]) -> None:
    delta = piece["delta"]
    if "role" in delta:
        choice["message"] = dict(delta)
    for name in ("content", "reasoning_content"):
        if "role" not in delta and name in delta:
            choice["message"][name] = choice["message"].get(name, "") + delta[name]
    for call in delta.get("tool_calls", ()):
        known = choice["message"].setdefault("tool_calls", {})
        if "id" in call:
            known[call["index"]] = {key: value for key, value in call.items() if key != "index"}
        else:
            known[call["index"]]["function"]["arguments"] += call["function"]["arguments"]
    if piece["logprobs"]:
        choice["logprobs"]["content"] += piece["logprobs"]["content"]
    if piece["finish_reason"]:
        choice["finish_reason"] = piece["finish_reason"]
