"""What became of requests is counted, and how long the next would wait follows from it."""

import pytest

from engine.events import Finished, Timings, Usage
from engine.host.ledger import FINISHED, Ledger


def finished(*, queued_seconds, served_seconds):
    served, total = int(served_seconds * 1e9), int((queued_seconds + served_seconds) * 1e9)
    return Finished(usage=Usage(), timings=Timings(prompt_ns=served, generation_ns=0, total_ns=total))


def test_durations_and_outcomes_are_counted():
    ledger = Ledger()
    ledger.note_first_token(0.3)
    ledger.note_finished(finished(queued_seconds=1, served_seconds=2), 3.0)
    ledger.note_outcome(FINISHED)
    counts = ledger.counts
    assert counts.outcomes == {"finished": 1}
    assert (counts.duration_seconds.sum, counts.first_token_seconds.sum) == (3.0, 0.3)
    assert counts.queue_seconds.sum == pytest.approx(1.0)


def test_the_wait_is_measured_service_time_shared_by_the_places():
    ledger = Ledger()
    assert ledger.wait_seconds(ahead=3, places=2) is None
    for _ in range(50):
        ledger.note_finished(finished(queued_seconds=5, served_seconds=4), 9.0)
    assert ledger.wait_seconds(ahead=3, places=2) == pytest.approx(8.0)
