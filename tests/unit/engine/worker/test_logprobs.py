import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.worker.logprobs import RowLogprobs


def piece(token):
    return b"<%d>" % token


def row(size, seed=0):
    return np.random.default_rng(seed).normal(0, 4, size).astype(np.float32)


@given(st.integers(1, 5000), st.integers(0, 20), st.integers(0, 1 << 20))
def test_logprobs_are_the_log_softmax_and_the_best_come_first(size, top, seed):
    logits = row(size, seed)
    exact = logits.astype(np.float64) - np.logaddexp.reduce(logits.astype(np.float64))
    report = RowLogprobs(logits, top).report(size // 2, piece)
    assert report.logprob == pytest.approx(exact[size // 2], abs=1e-5)
    assert [a.token_id for a in report.top] == np.argsort(-logits, kind="stable")[:top].tolist()
    assert [a.logprob for a in report.top] == pytest.approx(np.sort(exact)[::-1][:top], abs=1e-5)
    assert [a.bytes for a in report.top] == [piece(a.token_id) for a in report.top]


def test_equally_likely_tokens_come_in_the_order_of_their_ids():
    report = RowLogprobs(np.zeros(3000, dtype=np.float32), 4).report(9, piece)
    assert [a.token_id for a in report.top] == [0, 1, 2, 3]


def test_tokens_that_are_ruled_out_after_reading_keep_their_place_among_the_best():
    logits = row(3000)
    best, second = np.argsort(-logits)[:2].tolist()
    scores = RowLogprobs(logits, 1)
    before = scores.of(second)
    logits[best] = -np.inf
    report = scores.report(second, piece)
    assert [a.token_id for a in report.top] == [best]
    assert report.logprob == before


def test_a_token_that_the_model_itself_rules_out_is_no_alternative():
    logits = np.full(3000, -np.inf, dtype=np.float32)
    logits[:2] = 1
    report = RowLogprobs(logits, 5).report(0, piece)
    assert [a.token_id for a in report.top] == [0, 1]
    assert report.logprob == pytest.approx(-np.log(2))
