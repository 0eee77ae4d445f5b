"""Tokens that can only follow are not drawn one by one, and nothing else about an answer shows it."""

import json

import pytest

from engine.events import Finished, TextDelta
from engine.request import JsonConstraint, SamplingParams
from tests.process.worker.inprocess import GREEDY, InProcess, request

FIELDS = {"first_long_name": {"type": "boolean"}, "second_long_name": {"enum": [1, 2, 3]}}
RECORD = {"type": "object", "properties": FIELDS, "required": list(FIELDS), "additionalProperties": False}
CONSTANT = {"const": {"answer": "forty-two"}}


def asking(schema, **changes):
    constraint = JsonConstraint(schema=json.dumps(schema))
    return request("a record", **{"constraint": constraint, "max_tokens": 200, **changes})


def steps_of(model, asked):
    """How many steps an answer took, with the answer's events."""
    _, first = model.submit(asked)
    events = [event for _, event in first]
    steps = 0
    while not model.generator.is_idle:
        events += [event for _, event in model.generator.step()]
        steps += 1
    model.generator.check_integrity()
    return steps, events


def test_an_answer_takes_far_fewer_steps_than_tokens(model: InProcess):
    steps, events = steps_of(model, asking(RECORD))
    finished = next(event for event in events if isinstance(event, Finished))
    json.loads("".join(event.text for event in events if isinstance(event, TextDelta)))
    assert finished.usage.completion_tokens > 5 * steps


def test_an_answer_that_is_certain_needs_no_step(model: InProcess):
    steps, events = steps_of(model, asking(CONSTANT))
    assert steps == 0
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == '{"answer":"forty-two"}'


def test_they_are_those_that_drawing_would_have_given(model: InProcess):
    forced, drawn = (model.run(asked)[0] for asked in (asking(RECORD), asking(RECORD, logprobs=0)))
    assert forced.text == drawn.text
    assert forced.usage.completion_tokens == drawn.usage.completion_tokens


@pytest.mark.parametrize("limit", [1, 7, 11])
def test_they_count_towards_max_tokens(model: InProcess, limit):
    (answer,) = model.run(asking(RECORD, max_tokens=limit))
    assert (answer.usage.completion_tokens, answer.finish_reasons) == (limit, ["length"])


@pytest.mark.parametrize("stop", ["long", '":'])
def test_a_stop_string_in_them_ends_the_answer_at_its_last_token(model: InProcess, stop):
    (whole,) = model.run(asking(RECORD))
    forced, drawn = model.run(asking(RECORD, stop=(stop,)), asking(RECORD, stop=(stop,), logprobs=0))
    assert forced.text == whole.text[: whole.text.index(stop)]
    assert forced.usage.completion_tokens == drawn.usage.completion_tokens
    assert forced.finish_reasons == ["stop"]


def test_where_log_probabilities_are_wanted_every_token_has_the_models_own(model: InProcess):
    (answer,) = model.run(asking(RECORD, logprobs=0))
    reported = [entry for event in answer.events if isinstance(event, TextDelta) for entry in event.logprobs]
    assert len(reported) == answer.usage.completion_tokens
    assert all(entry.logprob < 0 for entry in reported)


def test_the_penalties_see_them(model: InProcess):
    penalised = SamplingParams(temperature=0, frequency_penalty=2.0, repeat_last_n=-1)
    schema = {"type": "array", "prefixItems": [{"const": "a" * 20}, {"enum": ["a" * 20, "b" * 20]}], "minItems": 2}
    each = (asking(schema, sampling=penalised), asking(schema, sampling=penalised, logprobs=0))
    forced, drawn = (model.run(asked)[0] for asked in each)
    assert forced.text == drawn.text


def test_a_cached_certain_beginning_is_no_part_of_the_cached_prompt(model: InProcess):
    first, again = (model.run(asking(RECORD, sampling=GREEDY))[0].usage for _ in range(2))
    assert again.cached_tokens <= first.prompt_tokens


def test_a_request_cancelled_between_them_leaves_nothing(model: InProcess):
    request_id, _ = model.submit(asking(RECORD))
    list(model.generator.step())
    model.generator.cancel(request_id)
    assert model.generator.is_idle
    model.generator.check_integrity()
