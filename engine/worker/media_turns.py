"""Owns whose picture or sound is cut or encoded next: one of the tenant for which least was done, of each of its requests in turn.

So many pictures get no larger a share of the encoder than one, and a request with one does not wait for another's hundred. One thread, one
step at a time. Must not know what a step does.
"""

import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from engine.worker.fairness import FairShare
from engine.worker.tally import Tally

_Prepared = TypeVar("_Prepared")

Steps = Generator[None, None, _Prepared]
"""The preparing of a request, and what comes of it. Between two steps others may have theirs; closed, it gives up."""

_MOST_BEGUN = 8
"""Requests of one tenant that are begun and not ended: what is cut and not encoded yet takes memory."""
_NANOSECONDS_PER_COST = 1000
_ENDED = object()


def in_one_go(steps: Steps[_Prepared]) -> _Prepared:
    """What comes of it, nobody else's steps between."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            prepared: _Prepared = end.value
            return prepared


class _Preparation:
    """A request that is being prepared."""

    def __init__(self, request_id: int, tenant: str, steps: Steps[None]) -> None:
        self.id = request_id
        self.tenant = tenant
        self.steps = steps
        self.is_begun = False


class MediaTurns:
    """Prepares requests with pictures or sound, in a thread of its own."""

    def __init__(
        self, tally: Tally, is_wanted: Callable[[int], bool], clock: Callable[[], int] = time.monotonic_ns
    ) -> None:
        """`tally` is told of each step, which may hang. `is_wanted`: whether a request has not been cancelled meanwhile. `clock` tells
        how long a step took, in nanoseconds."""
        self._tally = tally
        self._is_wanted = is_wanted
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="media")
        self._share = FairShare()
        self._line: list[_Preparation] = []
        self._is_going = False

    def __repr__(self) -> str:
        return f"MediaTurns({[each.id for each in self._line]}, {self._share!r})"

    def submit(self, request_id: int, tenant: str, steps: Steps[None]) -> None:
        """Have these steps done, in turn with others'."""
        self._thread.submit(self._add, _Preparation(request_id, tenant, steps))

    def close(self) -> None:
        """Wait for the step under way, and give up what is not done."""
        self._thread.shutdown(cancel_futures=True)
        for each in self._line:
            each.steps.close()
        self._line.clear()

    def _add(self, preparation: _Preparation) -> None:
        tenants = {each.tenant for each in self._line}
        if preparation.tenant not in tenants:
            self._share.join(preparation.tenant, tenants)
        self._line.append(preparation)
        if not self._is_going:
            self._go_on()

    def _go_on(self) -> None:
        """One step at a time, so that what has come meanwhile is in line before the next is chosen."""
        self._is_going = bool(self._line)
        if self._is_going:
            self._thread.submit(self._step)

    def _step(self) -> None:
        try:
            for left in [each for each in self._line if not self._is_wanted(each.id)]:
                self._line.remove(left)
                left.steps.close()
            if self._line:
                self._advance(self._next())
        finally:
            self._go_on()  # whatever a step brings about, the others have theirs

    def _next(self) -> _Preparation:
        tenant = min((each.tenant for each in self._line), key=self._share.of)
        of_tenant = [each for each in self._line if each.tenant == tenant]
        may_begin = sum(each.is_begun for each in of_tenant) < _MOST_BEGUN
        return next(each for each in of_tenant if each.is_begun or may_begin)

    def _advance(self, preparation: _Preparation) -> None:
        """Do its next step; where more are left it goes to the end of the line."""
        preparation.is_begun = True
        self._line.remove(preparation)
        began = self._clock()
        with self._tally.encoding():
            goes_on = next(preparation.steps, _ENDED) is not _ENDED
        if goes_on:
            self._line.append(preparation)
        self._share.charge(preparation.tenant, 1 + (self._clock() - began) // _NANOSECONDS_PER_COST)
