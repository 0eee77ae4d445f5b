"""Owns what a step costs by its width, learnt from the steps themselves. Must not know what the rows are for.

A wide step can be cheaper than a narrow one: llama.cpp's processor kernels take the rows of some formats by fours, and a GPU waits for the
weights whatever the width. So nothing is assumed, every width is measured when it is first worth trying, and again after a while; and a
step may be computed wider than it has to be.
"""

from collections import deque
from statistics import median

WIDEST_ROWS = 64
"""From here on a step is bound by computing on every machine: another row costs as much as the one before it."""
LIKED_ROWS = 4
"""llama.cpp's processor kernels take so many rows as one; other devices do not mind."""
_REMEMBERED_STEPS = 3
_VALID_STEPS = 256
"""A measurement older than this is made again: the context has grown, or the machine is less busy."""
_HOPED_SHARE = 0.02
"""What an unmeasured row is hoped to add, as a share of the widest narrower step that is measured: little enough to be tried."""


class StepCost:
    """Seconds of steps of 1 to WIDEST_ROWS rows."""

    def __init__(self) -> None:
        self._seconds: dict[int, deque[float]] = {}
        self._measured_at: dict[int, int] = {}
        self._steps = 0

    def __repr__(self) -> str:
        known = " ".join(f"{rows}:{median(self._seconds[rows]) * 1000:.1f}ms" for rows in sorted(self._seconds))
        return f"StepCost({known})"

    def note(self, rows: int, seconds: float) -> None:
        """A step of so many rows took so long."""
        self._steps += 1
        if rows <= WIDEST_ROWS:
            self._seconds.setdefault(rows, deque(maxlen=_REMEMBERED_STEPS)).append(seconds)
            self._measured_at[rows] = self._steps

    def is_measured(self, rows: int) -> bool:
        """Whether a step of this width was measured lately."""
        return rows in self._measured_at and self._steps - self._measured_at[rows] < _VALID_STEPS

    def padded(self, rows: int) -> int:
        """The width at which a step that needs so many rows is cheapest, or may be. One row stays one: how wide a step is decides the last
        bits of what it computes, and an answer that is computed alone is to be the same each time."""
        if rows == 1:
            return 1
        wide = -(-rows // LIKED_ROWS) * LIKED_ROWS
        if wide > WIDEST_ROWS or not self.is_measured(rows):
            return rows
        return wide if not self.is_measured(wide) or self._measured(wide) < self._measured(rows) else rows

    def seconds(self, rows: int) -> float:
        """What a step that needs so many rows takes, or is hoped to. Some narrower one must be measured."""
        if self.is_measured(rows):
            wide = self.padded(rows)
            return self._measured(wide if self.is_measured(wide) else rows)
        nearest = max(width for width in self._seconds if width <= rows)
        return median(self._seconds[nearest]) * (1 + _HOPED_SHARE * (rows - nearest))

    def _measured(self, rows: int) -> float:
        return median(self._seconds[rows])
