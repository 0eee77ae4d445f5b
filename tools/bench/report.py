"""Prints figures of several servers side by side, each beside its ratio to the first.

Owns the layout of the table. Must not know how figures come about.
"""

from collections.abc import Mapping
from typing import Any

_ROWS = (
    ("tokens/s", "tokens_per_second", 1.0, "{:,.1f}"),
    ("prompt tokens/s", "prompt_tokens_per_second", 1.0, "{:,.1f}"),
    ("requests/s", "requests_per_second", 1.0, "{:,.2f}"),
    ("TTFT p50, ms", "ttft_seconds.p50", 1e3, "{:,.0f}"),
    ("TTFT p90, ms", "ttft_seconds.p90", 1e3, "{:,.0f}"),
    ("TTFT worst, ms", "ttft_seconds.worst", 1e3, "{:,.0f}"),
    ("gap p50, ms", "gap_seconds.p50", 1e3, "{:,.1f}"),
    ("gap p99, ms", "gap_seconds.p99", 1e3, "{:,.1f}"),
    ("gap worst, ms", "gap_seconds.worst", 1e3, "{:,.1f}"),
    ("latency p50, ms", "latency_seconds.p50", 1e3, "{:,.0f}"),
    ("latency p99, ms", "latency_seconds.p99", 1e3, "{:,.0f}"),
    ("long prompt: TTFT p50, ms", "long_prompt_ttft_seconds.p50", 1e3, "{:,.0f}"),
    ("long prompt: others' gap p50, ms", "long_prompt_gap_seconds.p50", 1e3, "{:,.1f}"),
    ("long prompt: others' gap worst, ms", "long_prompt_gap_seconds.worst", 1e3, "{:,.1f}"),
    ("prompt tokens", "prompt_tokens", 1.0, "{:,.0f}"),
    ("of these cached", "cached_tokens", 1.0, "{:,.0f}"),
    ("completion tokens", "completion_tokens", 1.0, "{:,.0f}"),
    ("requests", "requests", 1.0, "{:,.0f}"),
    ("failed", "failed", 1.0, "{:,.0f}"),
    ("load generator, % of a core", "generator_share", 100.0, "{:,.0f}"),
)
_WITHOUT_RATIO = frozenset(
    ("requests", "failed", "prompt_tokens", "cached_tokens", "completion_tokens", "generator_share")
)


def table(figures: Mapping[str, Mapping[str, Any]]) -> str:
    """A table with one row for each figure that any server has; errors follow below."""
    first = next(iter(figures))
    header = ["", first, *(cell for name in figures if name != first for cell in (name, f"/ {first}"))]
    rows = [_row(row, figures) for row in _ROWS if any(_value(one, row[1]) is not None for one in figures.values())]
    errors = [f"{name}: {error}" for name, one in figures.items() for error in one["errors"]]
    return "\n".join([*aligned([header, *rows]), *errors])


def _row(row: tuple[str, str, float, str], figures: Mapping[str, Mapping[str, Any]]) -> list[str]:
    label, key, factor, layout = row
    cells = [label]
    base = None
    for number, one in enumerate(figures.values()):
        value = _value(one, key)
        cells.append("-" if value is None else layout.format(value * factor))
        if number == 0:
            base = value
        else:
            cells.append(f"{value / base:.2f}" if value is not None and base and key not in _WITHOUT_RATIO else "")
    return cells


def _value(figures: Mapping[str, Any], key: str) -> float | None:
    """The figure that a dotted key names."""
    value: Any = figures
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return None if value is None else float(value)


def aligned(rows: list[list[str]]) -> list[str]:
    """The lines of a table: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
