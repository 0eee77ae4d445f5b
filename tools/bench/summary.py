"""From records to the figures that are reported.

Owns their definitions. Must not know servers or how figures are printed.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from tools.bench.load import Round
from tools.bench.record import Record

Figures = dict[str, Any]

_PERCENTILES = (50, 90, 99)


def summarize(rounds: Sequence[Round]) -> Figures:
    """The figures of all rounds together; token counts are the server's own (`usage`).

    `ttft_seconds`: from sending a request to its first content. `gap_seconds`: between successive events with content, which are
    single tokens on most servers. `tokens_per_second`: completion tokens of all clients over the time that the rounds took.
    """
    records = [record for one in rounds for record in one.records]
    answered = [record for record in records if not record.error]
    wall_seconds = sum(one.wall_seconds for one in rounds)
    completion_tokens = sum(record.completion_tokens for record in answered)
    prompt_tokens = sum(record.prompt_tokens for record in answered)
    return {
        "requests": len(records),
        "errors": sorted({record.error for record in records if record.error}),
        "failed": len(records) - len(answered),
        "prompt_tokens": prompt_tokens,
        "cached_tokens": sum(record.cached_tokens for record in answered),
        "completion_tokens": completion_tokens,
        "wall_seconds": wall_seconds,
        "tokens_per_second": completion_tokens / wall_seconds,
        "tokens_per_second_by_round": [_tokens_per_second(one) for one in rounds],
        "prompt_tokens_per_second": prompt_tokens / wall_seconds,
        "requests_per_second": len(answered) / wall_seconds,
        "ttft_seconds": percentiles(
            record.piece_times[0] - record.started for record in answered if record.piece_times
        ),
        "gap_seconds": percentiles(gap for record in answered for gap in _gaps(record)),
        "latency_seconds": percentiles(record.ended - record.started for record in answered),
        "generator_share": sum(one.generator_seconds for one in rounds) / wall_seconds,
        **_long_prompt_figures(rounds),
    }


def percentiles(values: Iterable[float]) -> Figures:
    """Some percentiles (nearest rank) and the worst of all; nothing for no values."""
    ordered = sorted(values)
    if not ordered:
        return {}
    figures = {f"p{percent}": ordered[max(0, -(-percent * len(ordered) // 100) - 1)] for percent in _PERCENTILES}
    return figures | {"worst": ordered[-1]}


def _tokens_per_second(one: Round) -> float:
    return sum(record.completion_tokens for record in one.records if not record.error) / one.wall_seconds


def _gaps(record: Record, since: float = 0.0, until: float = float("inf")) -> list[float]:
    """The gaps that overlap the time between `since` and `until`."""
    return [later - earlier for earlier, later in pairwise(record.piece_times) if later > since and earlier < until]


def _long_prompt_figures(rounds: Sequence[Round]) -> Figures:
    """What a long prompt costs: its own time to first token, and the other streams' gaps until then."""
    waits: list[float] = []
    gaps: list[float] = []
    for one in rounds:
        long_prompt = one.long_prompt
        if long_prompt and long_prompt.piece_times:
            begun, answered = long_prompt.started, long_prompt.piece_times[0]
            waits.append(answered - begun)
            gaps += [gap for record in one.records for gap in _gaps(record, begun, answered)]
    return (
        {"long_prompt_ttft_seconds": percentiles(waits), "long_prompt_gap_seconds": percentiles(gaps)} if waits else {}
    )
