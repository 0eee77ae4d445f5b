"""The requests that wait for a worker: by model, in the order in which the models were first asked for.

Owns who waits, for how long and for how much. Must not know when a worker can be had.
"""

import asyncio
import functools
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from engine.errors import EngineError
from engine.host.backlog import Held
from engine.host.catalog import ModelEntry
from engine.host.lease import Lease
from engine.host.room import NO_WISH, Room
from engine.host.worker_state import Worker

# Whoever may wait longer may wait for ever: an event loop's timers do not reach much further.
_LONGEST_SECONDS = 86_400.0 * 365


@dataclass(slots=True)
class Waiter:
    """A request that waits for a worker with so much `room`; `held` is its part of the backlog. Its future is done with a lease or an
    EngineError, or cancelled by who gave up."""

    keep_alive_seconds: float | None
    held: Held
    room: Room = NO_WISH
    future: asyncio.Future[Lease] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    begun_ns: int = field(default_factory=time.monotonic_ns)
    timer: asyncio.TimerHandle | None = None

    @property
    def waited_ns(self) -> int:
        """For how long it has waited."""
        return time.monotonic_ns() - self.begun_ns

    def start_timer(self, seconds: float, lose_patience: Callable[[], None]) -> None:
        """Call `lose_patience` when it has waited so much longer."""
        self.timer = asyncio.get_running_loop().call_later(min(seconds, _LONGEST_SECONDS), lose_patience)

    def stop_timer(self) -> None:
        """It waits no more. Idempotent."""
        if self.timer is not None:
            self.timer.cancel()

    def fail(self, error: EngineError) -> None:
        """It will get no lease, unless it has one or has given up."""
        if not self.future.done():
            self.future.set_exception(error.again())

    def give_back(self) -> None:
        """Close the lease that it was given after it had given up, if it was."""
        if self.future.done() and not self.future.cancelled() and self.future.exception() is None:
            self.future.result().close()


@dataclass(slots=True)
class _Demand:
    """All requests that wait for one model. `predecessor`: the worker that was ended because it has too little room for them."""

    entry: ModelEntry
    predecessor: Worker | None = None
    waiters: list[Waiter] = field(default_factory=list)


class WaitingLine:
    """Waiting requests by model. Iterating gives the models, longest asked for first; the line may change meanwhile."""

    def __init__(self) -> None:
        self._demands: dict[str, _Demand] = {}

    def __iter__(self) -> Iterator[ModelEntry]:
        return iter([demand.entry for demand in self._demands.values()])

    def __len__(self) -> int:
        return sum(len(demand.waiters) for demand in self._demands.values())

    def __contains__(self, name: str) -> bool:
        return name in self._demands

    def waiting_for(self, name: str) -> int:
        """How many wait for this model."""
        return len(self._demands[name].waiters) if name in self._demands else 0

    def waiters(self, name: str) -> list[Waiter]:
        """All who wait for this model, in order."""
        return list(self._demands[name].waiters) if name in self._demands else []

    def add(self, entry: ModelEntry, waiter: Waiter) -> None:
        """One more; all who wait for this model get it as `entry` has it now."""
        demand = self._demands.setdefault(entry.name, _Demand(entry))
        demand.entry = entry
        demand.waiters.append(waiter)

    def succeed(self, worker: Worker) -> None:
        """This worker ends for those who wait for its model: the next one is to have what it had."""
        self._demands[worker.name].predecessor = worker

    def predecessor(self, name: str) -> Worker | None:
        """The worker whose place the next one of this model takes, if there was one."""
        return self._demands[name].predecessor

    def wanted_room(self, name: str) -> Room:
        """What is enough for all who wait for this model."""
        return functools.reduce(Room.joined, (waiter.room for waiter in self.waiters(name)), NO_WISH)

    def take(self, name: str, fits: Callable[[Waiter], bool] = lambda _: True) -> list[Waiter]:
        """All who wait for this model and come before the first that does not fit, in order; they wait no more."""
        demand = self._demands.get(name)
        if demand is None:
            return []
        taken = list(itertools.takewhile(fits, demand.waiters))
        del demand.waiters[: len(taken)]
        if not demand.waiters:
            del self._demands[name]
        return taken

    def remove(self, name: str, waiter: Waiter) -> None:
        """This one has given up; a model that nobody waits for any more leaves the line."""
        demand = self._demands.get(name)
        if demand is not None and waiter in demand.waiters:
            demand.waiters.remove(waiter)
            if not demand.waiters:
                del self._demands[name]
