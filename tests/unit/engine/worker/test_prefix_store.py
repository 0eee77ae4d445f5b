"""Stored prefixes are found by what they begin with, within their bytes, and only where bringing one back pays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.worker.prefix_store import LEAST_TOKENS, PrefixStore
from engine.worker.prefixes import PLAIN_MEMORY, MemoryKind

LONG = list(range(200))
INDIVISIBLE = MemoryKind(is_divisible=False)


def store_of(limit_bytes=1 << 20, memory=PLAIN_MEMORY, token_seconds=1.0):
    return PrefixStore(limit_bytes, memory, token_seconds=lambda: token_seconds)


def keep(store, tokens, *, salt="", size_bytes=100):
    store.keep(salt, tokens, size_bytes, lambda: np.zeros(size_bytes, np.uint8))
    store.check_integrity()


def found(store, tokens, *, salt="", beyond=0):
    prefix = store.find(salt, tokens, beyond=beyond)
    return None if prefix is None else store.usable_tokens(prefix.tokens, tokens)


def test_what_is_kept_is_found_by_whoever_begins_with_it():
    store = store_of()
    keep(store, LONG)
    assert found(store, [*LONG, 7]) == 200
    assert found(store, [*LONG[:150], 7]) == 150
    assert found(store, LONG) == 199


def test_nothing_is_found_for_another_salt_another_beginning_or_too_little():
    store = store_of()
    keep(store, LONG)
    assert found(store, LONG, salt="other") is None
    assert found(store, [9, *LONG]) is None
    assert found(store, LONG[: LEAST_TOKENS - 1]) is None
    assert found(store, LONG, beyond=190) is None


def test_what_was_used_and_what_was_missed_are_counted_but_not_what_could_gain_nothing():
    store = store_of()
    keep(store, LONG)
    found(store, LONG[: LEAST_TOKENS - 1])
    found(store, LONG, beyond=190)
    assert (store.activity().hits, store.activity().misses) == (0, 0)
    found(store, [9, *LONG])
    store.restored(store.find("", LONG, beyond=0), 0.001)
    activity = store.activity()
    assert (activity.entries, activity.size_bytes, activity.hits, activity.misses) == (1, store.size_bytes, 1, 1)


def test_an_indivisible_state_is_found_for_what_continues_it_only():
    store = store_of(memory=INDIVISIBLE)
    keep(store, LONG[:100])
    keep(store, LONG)
    assert found(store, [*LONG, 7]) == 200
    assert found(store, LONG[:150]) == 100


def test_of_a_window_only_the_end_was_saved():
    store = store_of(memory=MemoryKind(window_tokens=10))
    keep(store, LONG)
    assert [found(store, tokens) for tokens in ([*LONG, 7], LONG, LONG[:199])] == [200, 199, None]


def test_the_prefix_used_longest_ago_goes_first_and_the_bytes_stay_bounded():
    starts = [[n] * 100 for n in range(3)]
    store = store_of(limit_bytes=2 * (500 + 8 * 100))
    for tokens in starts[:2]:
        keep(store, tokens, size_bytes=500)
    assert found(store, starts[0]) == 99
    keep(store, starts[2], size_bytes=500)
    assert [found(store, tokens) for tokens in starts] == [99, None, 99]


def test_a_longer_prefix_takes_the_place_of_its_beginning():
    store = store_of()
    keep(store, LONG[:100])
    size_bytes = store.size_bytes
    keep(store, LONG)
    assert store.size_bytes == size_bytes + 800
    keep(store, LONG[:150])
    assert store.size_bytes == size_bytes + 800


def test_nothing_larger_than_the_store_is_kept():
    store = store_of(limit_bytes=1000)
    for size_bytes in (900, 1001):
        keep(store, LONG, size_bytes=size_bytes)
    assert store.size_bytes == 0


def test_nothing_is_copied_that_would_not_be_brought_back():
    store = store_of(token_seconds=1e-9)
    keep(store, LONG, size_bytes=10_000)
    assert store.size_bytes == 0


@pytest.mark.parametrize(("token_seconds", "pays"), [(None, True), (1.0, True), (1e-9, False)])
def test_a_prefix_is_brought_back_only_where_that_is_cheaper_than_computing(token_seconds, pays):
    known = [1.0]
    store = PrefixStore(1 << 20, PLAIN_MEMORY, token_seconds=lambda: known[0])
    keep(store, LONG, size_bytes=10_000)
    known[0] = token_seconds
    assert (found(store, LONG) is not None) == pays


def test_what_bringing_back_costs_is_learnt():
    store = store_of(token_seconds=0.001)
    keep(store, LONG, size_bytes=10_000)
    prefix = store.find("", LONG, beyond=0)
    store.restored(prefix, 10.0)
    assert store.find("", LONG, beyond=0) is None


def test_without_memory_nothing_is_kept_and_nobody_fails():
    def save():
        raise MemoryError

    store = store_of()
    store.keep("", LONG, 100, save)
    assert store.size_bytes == 0


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 2), st.integers(60, 120), st.integers(1, 2000))))
def test_whatever_is_kept_the_store_counts_right(kept):
    store = store_of(limit_bytes=5000)
    for salt, start, length, size_bytes in kept:
        keep(store, [start] * length, salt=salt, size_bytes=size_bytes)
    store.clear()
    assert store.size_bytes == 0
