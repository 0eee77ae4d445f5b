"""Plain completions: every form of prompt, best_of, echo, the older log probabilities, and streams that equal whole answers."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import (
    ChoiceFinished,
    Finished,
    GenerationEvent,
    InfillPrompt,
    TextDelta,
    TextPrompt,
    TokenLogprob,
    TokenPrompt,
)
from engine.generation import collect
from handlers.wire.openai import completions as wire
from handlers.wire.openai.envelope import Envelope
from handlers.wire.refusal import InvalidParameter
from tests.unit.handlers.wire.scripted import TIMINGS, USAGE, conforming, gather, generations, interleaved, replay

ENVELOPE = Envelope("cmpl-1", 1_763_000_000, "demo", "fp_1")


def body(prompt: Any = "Once", **fields: Any) -> Any:
    return conforming({"model": "demo", "prompt": prompt, **fields}, "openai", "CreateCompletionRequest")


@pytest.mark.parametrize(
    ("prompt", "prompts"),
    [
        ("Once", [TextPrompt(text="Once")]),
        ("", [TextPrompt(text="")]),
        (None, [TextPrompt(text="")]),
        (["a", "b"], [TextPrompt(text="a"), TextPrompt(text="b")]),
        ([1, 2], [TokenPrompt(tokens=(1, 2))]),
        ([[1], [2, 3]], [TokenPrompt(tokens=(1,)), TokenPrompt(tokens=(2, 3))]),
    ],
)
def test_a_prompt_is_text_or_tokens_one_or_several(prompt: Any, prompts: list[Any]) -> None:
    assert [request.prompt for request in wire.parse(body(prompt))] == prompts


def test_without_options_sixteen_tokens_are_generated() -> None:
    [request] = wire.parse(body())
    assert (request.max_tokens, request.n, request.echo, request.logprobs, request.score) == (16, 1, False, None, False)
    assert not request.truncate_prompt


def test_null_means_the_default_for_every_field_that_may_be_null() -> None:
    nullable = ("best_of", "echo", "logprobs", "max_tokens", "n", "stop", "suffix", "seed", "stream", "temperature")
    assert wire.parse(body(**dict.fromkeys(nullable))) == wire.parse(body())


def test_fields_reach_the_engine_for_each_prompt() -> None:
    fields = {"max_tokens": 0, "echo": True, "logprobs": 5, "n": 2, "stop": "x", "seed": 3, "ignore_eos": True}
    for request in wire.parse(body(["a", "b"], **fields)):
        assert (request.max_tokens, request.echo, request.logprobs, request.n) == (0, True, 5, 2)
        assert (request.stop, request.sampling.seed, request.ignore_eos) == (("x",), 3, True)


def test_a_suffix_is_filled_in_before() -> None:
    [request] = wire.parse(body("def f(", suffix="return x"))
    assert request.prompt == InfillPrompt(prefix="def f(", suffix="return x")
    assert wire.parse(body(suffix="")) == wire.parse(body())


@pytest.mark.parametrize(("prompt", "fields", "param"), [([1, 2], {}, "suffix"), ("a", {"echo": True}, "echo")])
def test_filling_in_takes_text_and_echoes_nothing(prompt: Any, fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        wire.parse(body(prompt, suffix="z", **fields))
    assert refusal.value.param == param


def test_best_of_generates_more_answers_and_scores_them() -> None:
    [request] = wire.parse(body(n=2, best_of=5))
    assert (request.n, request.score) == (5, True)
    [request] = wire.parse(body(n=2, best_of=2, stream=True))
    assert (request.n, request.score) == (2, False)


@pytest.mark.parametrize("fields", [{"n": 3, "best_of": 2}, {"n": 1, "best_of": 2, "stream": True}])
def test_best_of_must_leave_a_choice_and_cannot_be_streamed(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        wire.parse(body(**fields))
    assert refusal.value.param == "best_of"


def test_the_best_answers_are_those_likeliest_per_token() -> None:
    def answer(index: int, tokens: int, score: float) -> list[GenerationEvent]:
        end = ChoiceFinished(index=index, finish_reason="stop", completion_tokens=tokens, cumulative_logprob=score)
        return [TextDelta(index=index, text=f"answer {index}"), end]

    events = [*answer(0, 1, -3.0), *answer(1, 4, -4.0), *answer(2, 2, -5.0), Finished(usage=USAGE, timings=TIMINGS)]
    whole = wire.render([collect(events)], ENVELOPE, n=2, logprobs=False)
    assert [(choice["index"], choice["text"]) for choice in whole["choices"]] == [(0, "answer 1"), (1, "answer 2")]
    assert whole["usage"]["completion_tokens"] == USAGE.completion_tokens


def token(raw: bytes, logprob: float | None = -1.0) -> TokenLogprob:
    return TokenLogprob(token_id=1, bytes=raw, logprob=logprob)


def test_log_probabilities_are_parallel_lists_with_the_echoed_prompt_first() -> None:
    events = [
        TextDelta(index=0, text="Hi", logprobs=(token(b"H", None), token(b"i", -0.5)), echo=True),
        TextDelta(index=0, text=" €!", logprobs=(token(b" \xe2"), token(b"\x82\xac", -2.0), token(b"!", -3.0))),
        ChoiceFinished(index=0, finish_reason="length", completion_tokens=3),
        Finished(usage=USAGE, timings=TIMINGS),
    ]
    whole = wire.render([collect(events)], ENVELOPE, n=1, logprobs=True)
    [choice] = conforming(whole, "openai", "CreateCompletionResponse")["choices"]
    assert choice["text"] == "Hi €!"
    assert choice["logprobs"] == {
        "tokens": ["H", "i", "bytes:\\x20\\xe2", "bytes:\\x82\\xac", "!"],
        "token_logprobs": [None, -0.5, -1.0, -2.0, -3.0],
        "top_logprobs": [None, {"i": -0.5}, {"bytes:\\x20\\xe2": -1.0}, {"bytes:\\x82\\xac": -2.0}, {"!": -3.0}],
        "text_offset": [0, 1, 2, 3, 4],
    }


@given(data=st.data())
async def test_an_accumulated_stream_equals_the_whole_answer(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 2))
    each = data.draw(
        st.lists(
            generations(tools=False, echo=True).filter(lambda events: _answers(events) == n), min_size=1, max_size=3
        )
    )
    whole = wire.render([collect(events) for events in each], ENVELOPE, n=n, logprobs=True)
    conforming(whole, "openai", "CreateCompletionResponse")
    numbered = [[(number, event) for event in events] for number, events in enumerate(each)]
    events = interleaved(data.draw, numbered)
    chunks = await gather(wire.chunks(replay(events), ENVELOPE, n=n, logprobs=True, include_usage=True))
    for chunk in chunks:
        conforming(chunk, "openai", "CreateCompletionStreamResponse")
    assert accumulated(chunks) == whole


def _answers(events: Sequence[GenerationEvent]) -> int:
    return sum(isinstance(event, ChoiceFinished) for event in events)


def accumulated(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """What a client makes of a stream: the body that it would have got whole."""
    choices: dict[int, dict[str, Any]] = {}
    lists = ("tokens", "token_logprobs", "top_logprobs", "text_offset")
    for piece in (piece for chunk in chunks for piece in chunk["choices"]):
        empty = {"index": piece["index"], "text": "", "logprobs": {name: [] for name in lists}}
        choice = choices.setdefault(piece["index"], empty)
        choice["text"] += piece["text"]
        for name in lists if piece["logprobs"] else ():
            choice["logprobs"][name] += piece["logprobs"][name]
        choice["finish_reason"] = piece["finish_reason"]
    return {**chunks[-1], "choices": [choices[index] for index in sorted(choices)]}
