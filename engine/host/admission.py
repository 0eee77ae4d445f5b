"""Owns who may wait and for how long: the bounds on the number and the size of waiting requests, and their refusals.

Must not know where they wait, nor when a place can be had.
"""

from collections.abc import Callable

from engine.config import EngineConfig
from engine.errors import EngineError, ErrorCode
from engine.host.backlog import Backlog, Held
from engine.host.ledger import Ledger
from engine.host.worker_state import Worker


class Admission:
    """`ahead` tells how many requests for a model would be served before one more."""

    def __init__(self, config: EngineConfig, ahead: Callable[[str], int]) -> None:
        self._config = config
        self._ahead = ahead
        self._backlog = Backlog(config.max_queue_bytes)
        self._ledgers: dict[str, Ledger] = {}

    @property
    def waiting_bytes(self) -> int:
        """The size of all requests that wait."""
        return self._backlog.held_bytes

    def names(self) -> list[str]:
        """The models that were asked for."""
        return sorted(self._ledgers)

    def ledger(self, name: str) -> Ledger:
        """What became of the requests for this model."""
        return self._ledgers.setdefault(name, Ledger())

    def waits(self, worker: Worker) -> bool:
        """Whether one more request would wait in this worker for a place. Raises EngineError queue_full where too many do."""
        parallel = self._config.load_of(worker.name).parallel
        if worker.active_requests >= parallel + self._config.max_queue:
            reason = f"{worker.active_requests} requests run or wait in the model {worker.name!r} already"
            raise self._queue_full(worker.name, reason)
        return worker.active_requests >= parallel

    def check_line(self, name: str, waiting: int) -> None:
        """Raises EngineError queue_full where so many wait for models to load that one more may not."""
        if waiting >= self._config.max_queue:
            raise self._queue_full(name, f"{waiting} requests wait for a model to load already")

    def hold(self, name: str, size_bytes: int) -> Held:
        """The part of the backlog that a waiting request of this size takes. Raises EngineError queue_full where there is no room."""
        held = self._backlog.hold(size_bytes)
        if held is None:
            limit = self._config.max_queue_bytes
            reason = f"this request has {size_bytes} bytes, and {self.waiting_bytes} of at most {limit} wait already"
            raise self._queue_full(name, reason)
        return held

    def timed_out(self, name: str) -> EngineError:
        """The end of a request for this model that has waited for as long as one may."""
        waited = f"the request has waited {self._config.queue_timeout_seconds:g} seconds for its turn in the model"
        return self._refusal("queue_timeout", name, waited)

    def _queue_full(self, name: str, reason: str) -> EngineError:
        self.ledger(name).note_outcome("queue_full")
        return self._refusal("queue_full", name, reason)

    def _refusal(self, code: ErrorCode, name: str, reason: str) -> EngineError:
        parallel = self._config.load_of(name).parallel
        wait_seconds = self.ledger(name).wait_seconds(ahead=self._ahead(name), places=parallel)
        return EngineError(code, f"{reason}; try again later", retry_after_seconds=wait_seconds)
