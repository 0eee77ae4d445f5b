"""How often values fell into which range: counts that can be added to, sent and shown. Must not know what the values are."""

import bisect

import msgspec


class Histogram(msgspec.Struct, kw_only=True):
    """`counts[i]` values were at most `bounds[i]` and above the bound before; the last count is of those above all bounds."""

    bounds: tuple[float, ...]
    counts: list[int] = []
    sum: float = 0.0

    def __post_init__(self) -> None:
        if not self.counts:
            self.counts = [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        """One more value."""
        self.counts[bisect.bisect_left(self.bounds, value)] += 1
        self.sum += value

    @property
    def count(self) -> int:
        """How many values there were."""
        return sum(self.counts)
