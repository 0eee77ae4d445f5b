"""Owns how many threads a training step takes on a machine that others use too.

Two threads that wait for each other crawl when one of them is crowded out; one thread keeps its pace. So a step takes all the threads only
while the rest of the machine is quiet.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

QUIET_CORES = 0.3
"""Others may keep this much of a core busy before the run makes room."""


class Courtesy:
    """Watches what other processes use of the machine between two calls."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._clock, self._own, self._busy = time.monotonic(), time.process_time(), _busy_seconds()

    def threads(self) -> int:
        """How many threads the next step should take, going by the time since the last call."""
        clock, own, busy = time.monotonic(), time.process_time(), _busy_seconds()
        others = (busy - self._busy) - (own - self._own)
        crowded = others > QUIET_CORES * (clock - self._clock)
        self._clock, self._own, self._busy = clock, own, busy
        return max(1, self._threads - 1) if crowded else self._threads


def _busy_seconds() -> float:
    """Seconds that all cores together have worked since the machine started; nothing where the system does not tell."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return time.process_time()
    user, nice, system, _idle, _waiting, interrupts, soft = (
        int(field) for field in stat.read_text().split("\n", 1)[0].split()[1:8]
    )
    return (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")
