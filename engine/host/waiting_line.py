"""The requests that wait for a worker: by model, in the order in which the models were first asked for.

Owns who waits and for how long. Must not know when a worker can be had.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.errors import EngineError
from engine.host.catalog import ModelEntry
from engine.host.lease import Lease


@dataclass(slots=True)
class Waiter:
    """A request that waits. Its future is done with a lease or an EngineError, or cancelled by who gave up."""

    keep_alive_seconds: float | None
    future: asyncio.Future[Lease] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    begun_ns: int = field(default_factory=time.monotonic_ns)

    @property
    def waited_ns(self) -> int:
        """For how long it has waited."""
        return time.monotonic_ns() - self.begun_ns

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
    """All requests that wait for one model."""

    entry: ModelEntry
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

    def add(self, entry: ModelEntry, waiter: Waiter) -> None:
        """One more; all who wait for this model get it as `entry` has it now."""
        demand = self._demands.setdefault(entry.name, _Demand(entry))
        demand.entry = entry
        demand.waiters.append(waiter)

    def take(self, name: str) -> list[Waiter]:
        """All who wait for this model, in order; they wait no more."""
        demand = self._demands.pop(name, None)
        return demand.waiters if demand is not None else []

    def remove(self, name: str, waiter: Waiter) -> None:
        """This one has given up; a model that nobody waits for any more leaves the line."""
        demand = self._demands.get(name)
        if demand is not None and waiter in demand.waiters:
            demand.waiters.remove(waiter)
            if not demand.waiters:
                del self._demands[name]
