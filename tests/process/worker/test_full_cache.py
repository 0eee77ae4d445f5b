"""Where the KV cache is too small for all at once, everyone still gets the answer that they would have got alone."""

import pytest

from engine.events import TextDelta
from engine.request import JsonConstraint
from tests.process.worker.inprocess import InProcess, load, request

SCHEMA = '{"type": "object", "properties": {"a": {"type": "string", "maxLength": 20}}, "required": ["a"]}'
NEARLY_EQUAL = 0.3
COUNTING = "one two three four five six seven eight nine ten "


@pytest.fixture(scope="module")
def small():
    """A model with slots for four, whose context does not hold four of the requests below."""
    with load(ctx_size_tokens=256, parallel=4) as worker:
        yield InProcess(worker)


def requests():
    plain = [request(text + COUNTING * 2, logprobs=2, max_tokens=30, ignore_eos=True) for text in ("a ", "b ", "c ")]
    forked = request(COUNTING * 2 + "What is 2 + 3?", n=3, logprobs=2)
    bound = request(COUNTING * 2 + "an object:", constraint=JsonConstraint(schema=SCHEMA), max_tokens=30, logprobs=2)
    return [*plain, forked, bound]


def drawn(answer, index):
    """The tokens of one answer, with the alternatives at each place."""
    deltas = (event for event in answer.events if isinstance(event, TextDelta) and event.index == index)
    return [entry for delta in deltas for entry in delta.logprobs]


def agree(one, other):
    """Whether two answers are the same up to a place where two tokens were about equally likely: other company changes the last
    digits of a probability, and no more."""
    for mine, theirs in zip(one, other, strict=False):
        if mine.token_id != theirs.token_id:
            return mine.top[0].logprob - mine.top[1].logprob < NEARLY_EQUAL
        if abs(mine.logprob - theirs.logprob) > NEARLY_EQUAL:
            return False
    return len(one) == len(other)


def test_answers_that_lost_their_place_for_a_while_are_the_same(small: InProcess):
    alone = []
    for each in requests():
        small.generator.forget_cached_prefixes()
        alone += small.run(each)
    small.generator.forget_cached_prefixes()
    before = small.generator.activity().preemptions
    together = small.run(*requests())
    assert small.generator.activity().preemptions > before
    for one, other in zip(alone, together, strict=True):
        assert all(agree(drawn(one, index), drawn(other, index)) for index in range(len(one.texts())))


def test_a_request_that_fits_alone_never_fails_however_many_others_there_are(small: InProcess):
    crowd = [request(f"{number} " + COUNTING * 3, max_tokens=60, ignore_eos=True) for number in range(8)]
    answers = small.run(*crowd)
    assert [answer.usage.completion_tokens for answer in answers] == [60] * 8
    assert [len(answer.endings) for answer in answers] == [1] * 8
