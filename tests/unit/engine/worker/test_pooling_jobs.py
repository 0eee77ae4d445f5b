"""Which inputs share a batch: every request has its part, none waits for another's end, and no batch overflows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.request import EmbeddingRequest
from engine.worker.fairness import FairShare
from engine.worker.pooling_jobs import EmbeddingJob, RerankJob, next_turns

ROOM = 10


def job(number, *lengths, tenant=""):
    request = EmbeddingRequest(model="m", inputs=tuple("x" for _ in lengths), tenant=tenant)
    return EmbeddingJob(number, [[0] * length for length in lengths], request)


def chosen(jobs, most=64, share=None):
    turns = next_turns(jobs, share or FairShare(), room_tokens=ROOM, most=most)
    return [(turn.job.id, len(turn.tokens)) for turn in turns]


def test_a_request_with_many_inputs_leaves_room_for_one_with_few():
    assert chosen([job(1, *[2] * 2000), job(2, 3)]) == [(1, 2), (2, 3), (1, 2), (1, 2)]


def test_a_tenant_with_many_requests_gets_no_more_than_one_with_a_single_one():
    crowd = [job(number, *[1] * 9, tenant="crowd") for number in range(1, 6)]
    single = job(9, *[1] * 9, tenant="single")
    assert [number for number, _ in chosen([*crowd, single])] == [1, 9, 2, 9, 3, 9, 4, 9, 5, 9]


def test_who_had_less_so_far_goes_first_whatever_the_order_of_the_requests():
    share = FairShare()
    assert chosen([job(1, 9, 9, tenant="a"), job(2, 4, tenant="b")], share=share) == [(1, 9)]
    assert chosen([job(1, 9, tenant="a"), job(2, 4, 4, tenant="b")], share=share) == [(2, 4), (2, 4)]


def test_an_input_longer_than_the_room_gets_a_batch_to_itself():
    assert chosen([job(1, 15, 1), job(2, 1)]) == [(1, 15)]


def test_a_request_whose_next_input_does_not_fit_keeps_its_order():
    first = job(1, 4, 9, 1)
    assert chosen([first, job(2, 3)]) == [(1, 4), (2, 3)]
    assert first.upcoming == [0] * 9


def test_a_batch_has_no_more_inputs_than_there_are_sequences():
    assert len(chosen([job(1, *[1] * 9)], most=5)) == 5


@given(st.lists(st.lists(st.integers(1, 20), min_size=1, max_size=8), min_size=1, max_size=6))
def test_every_input_has_exactly_one_turn_in_its_requests_order(lengths):
    jobs = [job(number, *inputs, tenant="ab"[number % 2]) for number, inputs in enumerate(lengths)]
    seen = [[] for _ in jobs]
    share = FairShare()
    while turns := next_turns(jobs, share, room_tokens=ROOM, most=4):
        assert len(turns) == 1 or sum(len(turn.tokens) for turn in turns) <= ROOM
        for turn in turns:
            seen[turn.job.id].append(len(turn.tokens))
        jobs = [*jobs[1:], jobs[0]]
    assert seen == lengths


@pytest.mark.parametrize(("log_odds", "score"), [(0.0, 0.5), (2.0, 0.880797), (-1000.0, 0.0), (1000.0, 1.0)])
def test_a_single_output_is_a_log_odds(log_odds, score):
    ranking = RerankJob(1, [[0]], None)
    ranking.take().job.receive(np.array([log_odds], dtype=np.float32))
    assert ranking.result().scores == pytest.approx((score,))


def test_of_several_outputs_one_says_that_the_document_is_relevant():
    ranking = RerankJob(1, [[0]], 1)
    ranking.take().job.receive(np.array([0.25, 0.75], dtype=np.float32))
    assert ranking.result().scores == (0.75,)
