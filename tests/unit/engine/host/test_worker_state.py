"""The legal moves of a worker."""

import itertools

import pytest

from engine.host.catalog import ModelEntry
from engine.host.worker_state import IllegalMove, Worker, WorkerState

LEGAL = {
    ("loading", "ready"),
    ("loading", "dead"),
    ("ready", "closing"),
    ("ready", "dead"),
    ("closing", "dead"),
}


def worker_in(state):
    worker = Worker(ModelEntry("m", (), (), metadata=None), 300)
    worker.state = state
    return worker


@pytest.mark.parametrize(("old", "new"), list(itertools.product(WorkerState, repeat=2)))
def test_every_move_is_legal_or_raises(old, new):
    worker = worker_in(old)
    if (old.value, new.value) in LEGAL:
        worker.move(new)
        assert worker.state is new
    else:
        with pytest.raises(IllegalMove, match=f"m={old.value}.0 active. cannot become {new.value}"):
            worker.move(new)
        assert worker.state is old


def test_idle_before_busy_expiring_before_staying_longest_unused_first():
    ranks = []
    for active, keep_alive_seconds in ((0, 300), (0, 300), (0, -1), (2, 300), (2, -1)):
        worker = Worker(ModelEntry("m", (), (), metadata=None), keep_alive_seconds)
        worker.active_requests = active
        ranks.append(worker.eviction_rank())
    assert ranks == sorted(ranks)
