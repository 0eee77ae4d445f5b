"""Owns what became of the requests for one model: how many, how they ended, how long they took. Must not know workers or requests."""

from collections import Counter

from engine.activity import RequestCounts
from engine.events import Finished
from engine.histogram import Histogram

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0)
_MEMORY = 0.9
"""How much of the mean time to serve a request stays when one more is known: it follows the last ten or so."""
FINISHED = "finished"
CANCELLED = "cancelled"


class Ledger:
    """Counts since the server's start. `loads`: workers that were started; `deaths`: those that ended by themselves."""

    def __init__(self) -> None:
        self.loads = 0
        self.deaths = 0
        self._outcomes: Counter[str] = Counter()
        self._duration = Histogram(bounds=_SECONDS)
        self._first_token = Histogram(bounds=_SECONDS)
        self._queue = Histogram(bounds=_SECONDS)
        self._service_seconds: float | None = None

    @property
    def counts(self) -> RequestCounts:
        """All that was noted."""
        return RequestCounts(
            outcomes=dict(self._outcomes),
            duration_seconds=self._duration,
            first_token_seconds=self._first_token,
            queue_seconds=self._queue,
        )

    def note_first_token(self, seconds: float) -> None:
        """The first of an answer came so long after its request."""
        self._first_token.add(seconds)

    def note_outcome(self, outcome: str) -> None:
        """A request has ended: `FINISHED`, `CANCELLED` or an error's code."""
        self._outcomes[outcome] += 1

    def note_finished(self, event: Finished, seconds: float) -> None:
        """A generation has ended well, so long after its request."""
        timings = event.timings
        queued = max(0, timings.total_ns - timings.prompt_ns - timings.generation_ns) / 1e9
        self._duration.add(seconds)
        self._queue.add(queued)
        served = max(0.0, seconds - queued)
        before = served if self._service_seconds is None else self._service_seconds
        self._service_seconds = _MEMORY * before + (1 - _MEMORY) * served

    def wait_seconds(self, *, ahead: int, places: int) -> float | None:
        """How long one more request would wait behind `ahead` others where `places` are served at once; None: nothing was measured."""
        return None if self._service_seconds is None else self._service_seconds * (ahead + 1) / places
