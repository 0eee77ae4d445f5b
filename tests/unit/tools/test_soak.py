"""The soak's reckoning finds what was lost, and its requests are the same for the same seed."""

import random

import pytest

from tools.soak.asks import draw_ask
from tools.soak.census import Census, unfinished

BEFORE = Census(frozenset({1, 2}), memory_bytes=200_000_000, descriptors=30, threads=9)
IDLE = {"model": "m", "state": "ready", "open_requests": 0, "awaiting_load": 0, "running": 0, "waiting": 0}
SLOTS = [{"slot": 0, "state": "cached", "tokens": 50}, {"slot": 1, "state": "empty", "tokens": 0}]


def test_what_is_as_before_is_no_loss() -> None:
    assert BEFORE.losses(Census(frozenset({1, 2}), memory_bytes=210_000_000, descriptors=30, threads=11)) == []


def test_each_thing_that_was_lost_is_named() -> None:
    losses = BEFORE.losses(Census(frozenset({1, 3}), memory_bytes=400_000_000, descriptors=31, threads=20))
    words = ("processes", "memory", "descriptors", "threads")
    assert all(word in loss for word, loss in zip(words, losses, strict=True))


def test_an_idle_server_whose_slots_agree_with_its_cells_has_finished() -> None:
    assert unfinished([{**IDLE, "kv_tokens": 50, "slots": SLOTS}]) == []


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"running": 1}, "running"),
        ({"open_requests": 2}, "open_requests"),
        ({"kv_tokens": 51}, "KV"),
        ({"slots": [{"slot": 0, "state": "answer", "tokens": 50}]}, "at work"),
    ],
)
def test_an_idle_server_that_is_not_done_is_found_out(fields: dict[str, object], word: str) -> None:
    (fault,) = unfinished([{**IDLE, "kv_tokens": 50, "slots": SLOTS, **fields}])
    assert word in fault


def test_the_same_seed_draws_the_same_requests() -> None:
    first, again = ([draw_ask(draw) for _ in range(200)] for draw in (random.Random(5), random.Random(5)))
    assert list(first) == list(again)
