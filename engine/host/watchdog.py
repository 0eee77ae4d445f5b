"""Owns the patience with one worker: it is asked for a sign of life while it has work, and given up when it hangs.

Counts its own ticks and not the time between them: where the server itself was stopped for a while (a laptop asleep, a debugger), its
workers were not to blame. Must not know processes or sockets.
"""

import asyncio
from collections.abc import Callable

import msgspec

_TICKS = 5


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """`silence_seconds`: how long a worker with open requests may say nothing at all. `step_seconds`: how long one step of its
    computing may take, during which it does answer."""

    silence_seconds: float
    step_seconds: float


class Watchdog:
    """`ask` is called now and then while there is work; `give_up` once, with the reason in words, when patience is at its end."""

    def __init__(self, patience: Patience, ask: Callable[[], None], give_up: Callable[[str], None]) -> None:
        self._patience = patience
        self._ask = ask
        self._give_up = give_up
        self._unanswered = 0
        self._is_needed: Callable[[], bool] = bool
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, is_needed: Callable[[], bool]) -> None:
        """There is work: watch until `is_needed` says that there is none any more.

        The first question comes a while after the work. A worker that has answered and died by then would not hear it, and of a
        connection on which something could not be sent nothing more is read.
        """
        self._is_needed = is_needed
        if self._timer is None:
            self._unanswered = 0
            self._wait()

    def hear(self) -> None:
        """The worker said something."""
        self._unanswered = 0

    def hear_of_step(self, age_seconds: float) -> None:
        """The step under way has taken so long."""
        if self._timer is not None and age_seconds > self._patience.step_seconds:
            self._end(f"took more than {self._patience.step_seconds:g} seconds for one step and was ended")

    def stop(self) -> None:
        """There is nothing left to watch. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._patience.silence_seconds / _TICKS, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if not self._is_needed():
            return
        self._unanswered += 1
        if self._unanswered >= _TICKS:
            self._end(f"gave no sign of life for {self._patience.silence_seconds:g} seconds and was ended")
        else:
            self._ask()
            self._wait()

    def _end(self, reason: str) -> None:
        self.stop()
        self._give_up(reason)
