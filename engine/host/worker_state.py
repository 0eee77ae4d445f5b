"""One worker as the pool sees it: its state, its running requests, and how long it stays.

Owns the table of legal moves and the keep-alive clock. Must not decide which worker lives.
"""

import asyncio
import enum
import time
from collections.abc import Callable

from engine.host.catalog import ModelEntry
from engine.host.connection import Connection
from engine.host.room import NO_WISH, Room, room_of

# Beyond this a keep-alive is for ever: an event loop's timers do not reach further.
_LONGEST_SECONDS = 86_400.0 * 365


class WorkerState(enum.Enum):
    """`CLOSING`: takes no new requests, ends when the running ones have ended."""

    LOADING = "loading"
    READY = "ready"
    CLOSING = "closing"
    DEAD = "dead"


_MOVES = {
    WorkerState.LOADING: {WorkerState.READY, WorkerState.DEAD},
    WorkerState.READY: {WorkerState.CLOSING, WorkerState.DEAD},
    WorkerState.CLOSING: {WorkerState.DEAD},
    WorkerState.DEAD: set[WorkerState](),
}


class IllegalMove(RuntimeError):
    """A worker cannot go from one of these states to the other: a fault in the pool."""


class Worker:
    """One model's worker. `keep_alive_seconds`: how long it stays when idle (negative: for ever). `wanted_room`: what it is loaded
    for at least."""

    def __init__(self, entry: ModelEntry, keep_alive_seconds: float, wanted_room: Room = NO_WISH) -> None:
        self.entry = entry
        self.wanted_room = wanted_room
        self.keep_alive_seconds = keep_alive_seconds
        self.state = WorkerState.LOADING
        self.connection: Connection | None = None
        self.loading: asyncio.Task[None] | None = None
        self.active_requests = 0
        self._last_used = time.monotonic()
        self._timer: asyncio.TimerHandle | None = None
        self._idle_since: float | None = None

    def __repr__(self) -> str:
        return f"{self.name}={self.state.value}({self.active_requests} active)"

    @property
    def name(self) -> str:
        """The model's name."""
        return self.entry.name

    @property
    def stays(self) -> bool:
        """Whether it is kept for ever."""
        return self.keep_alive_seconds < 0 or self.keep_alive_seconds > _LONGEST_SECONDS

    @property
    def expires_at(self) -> float | None:
        """When it ends unless it is used, in unix seconds; None: never. A busy worker's time starts when it is idle."""
        if self.stays:
            return None
        return (self._idle_since or time.time()) + self.keep_alive_seconds

    def takes(self, entry: ModelEntry) -> bool:
        """Whether requests for `entry` may go to it: it is ready, alive and has loaded the file that is there now."""
        alive = self.connection is not None and self.connection.alive
        return self.state is WorkerState.READY and alive and self.entry == entry

    def has_room(self, wish: Room) -> bool:
        """Whether it has what was asked for, or was loaded for that and its model can't have more."""
        assert self.connection is not None
        return wish.is_within(room_of(self.connection.model).joined(self.wanted_room))

    def move(self, state: WorkerState) -> None:
        """Go to another state. Raises IllegalMove where the table does not have it."""
        if state not in _MOVES[self.state]:
            raise IllegalMove(f"{self!r} cannot become {state.value}")
        self.state = state

    def begin_request(self, keep_alive_seconds: float | None) -> None:
        """One more request; its keep-alive, where it has one, holds from now on."""
        self.stop_timer()
        self.active_requests += 1
        self._last_used = time.monotonic()
        if keep_alive_seconds is not None:
            self.keep_alive_seconds = keep_alive_seconds

    def eviction_rank(self) -> tuple[bool, bool, float]:
        """Sorts workers by how soon they should make room: idle, expiring, longest unused first."""
        return (self.active_requests > 0, self.stays, self._last_used)

    def start_timer(self, expire: Callable[[], None]) -> None:
        """It is idle now: call `expire` when its time is over."""
        self.stop_timer()
        self._idle_since = time.time()
        if not self.stays:
            self._timer = asyncio.get_running_loop().call_later(self.keep_alive_seconds, expire)

    def stop_timer(self) -> None:
        """It is used again, or ends."""
        self._idle_since = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
