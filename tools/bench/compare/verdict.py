"""What a row promises: figures, what each is held against, and whether the bound is kept.

Must not know how figures are measured or shown.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tools.bench.compare.servers import LLAMA_SERVER, OURS

Figures = dict[str, float]


@dataclass(frozen=True)
class Outcome:
    """One round of a row on one server: its figures, the details behind them, or why there are none."""

    figures: Figures
    details: Mapping[str, Any]
    failure: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bound:
    """At least, or at most, so many times what a figure is held against, or so much more than it."""

    at_least: float | None = None
    at_most: float | None = None
    at_most_more: float | None = None

    def __str__(self) -> str:
        if self.at_least is not None:
            return f"≥ {self.at_least:g}"
        return f"≤ {self.at_most:g}" if self.at_most is not None else f"≤ + {self.at_most_more:g}"

    def comparison(self, value: float, base: float) -> float:
        """The number that is held against the bound: a ratio, or a difference."""
        return value - base if self.at_most_more is not None else value / base

    def is_kept(self, value: float, base: float) -> bool:
        """Whether it is."""
        compared = self.comparison(value, base)
        if self.at_least is not None:
            return compared >= self.at_least
        return compared <= (self.at_most if self.at_most is not None else self.at_most_more or 0.0)


@dataclass(frozen=True)
class Line:
    """One figure of a row. `against` is another figure of ours that it is held against; None: the peer's same figure.

    `bound` None: shown beside the peer's and not judged.
    """

    figure: str
    unit: str
    bound: Bound | None = None
    against: str | None = None


@dataclass(frozen=True)
class Result:
    """A line with its medians over the rounds; None where there is no figure."""

    line: Line
    ours: float | None
    base: float | None

    @property
    def comparison(self) -> float | None:
        """Ratio, or difference where the bound is one."""
        if self.ours is None or not self.base:
            return None
        return (self.line.bound or Bound(at_least=0)).comparison(self.ours, self.base)

    @property
    def is_kept(self) -> bool | None:
        """Whether the bound is kept; None: nothing to judge."""
        if self.line.bound is None or self.ours is None or not self.base:
            return None
        return self.line.bound.is_kept(self.ours, self.base)


def judge(lines: Sequence[Line], outcomes: Mapping[str, Sequence[Outcome]]) -> list[Result]:
    """Every line of a row. `outcomes`: the rounds of each server, by name."""
    results = []
    for line in lines:
        ours = median(outcomes.get(OURS, ()), line.figure)
        base_of = LLAMA_SERVER if line.against is None else OURS
        results.append(Result(line, ours, median(outcomes.get(base_of, ()), line.against or line.figure)))
    return results


def median(outcomes: Sequence[Outcome], figure: str) -> float | None:
    """The median of a figure over rounds; None if no round has it."""
    values = [outcome.figures[figure] for outcome in outcomes if figure in outcome.figures]
    return statistics.median(values) if values else None
