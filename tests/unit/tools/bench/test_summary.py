"""Figures mean what they say, on records whose figures are known."""

import pytest

from tools.bench.load import Round
from tools.bench.record import Record
from tools.bench.report import table
from tools.bench.summary import percentiles, summarize


def record(started: float, *pieces: float, **fields: object) -> Record:
    return Record(
        started, ended=pieces[-1], piece_times=list(pieces), prompt_tokens=100, completion_tokens=len(pieces), **fields
    )  # type: ignore[arg-type]


ROUND = Round([record(0.0, 1.0, 1.1, 1.4), record(0.0, 2.0, 2.1)], wall_seconds=2.5, generator_seconds=0.25)


def test_percentiles_are_values_that_occurred() -> None:
    assert percentiles(range(1, 201)) == {"p50": 100, "p90": 180, "p99": 198, "worst": 200}
    assert percentiles([7.0]) == {"p50": 7.0, "p90": 7.0, "p99": 7.0, "worst": 7.0}
    assert percentiles([]) == {}


def test_rates_and_times_are_those_of_the_records() -> None:
    figures = summarize([ROUND])
    assert figures["tokens_per_second"] == pytest.approx(2.0)
    assert figures["prompt_tokens_per_second"] == pytest.approx(80.0)
    assert figures["ttft_seconds"]["worst"] == pytest.approx(2.0)
    assert figures["gap_seconds"]["worst"] == pytest.approx(0.3)
    assert figures["latency_seconds"]["p50"] == pytest.approx(1.4)
    assert figures["generator_share"] == pytest.approx(0.1)


def test_failed_requests_count_as_failed_and_nothing_else() -> None:
    failed = record(0.0, 0.1, error="HTTP 500: no")
    figures = summarize([Round([*ROUND.records, failed], 2.5, 0.25)])
    assert (figures["requests"], figures["failed"], figures["errors"]) == (3, 1, ["HTTP 500: no"])
    assert figures["completion_tokens"] == 5


def test_a_long_prompts_cost_is_the_others_gaps_until_its_first_token() -> None:
    one = Round([record(0.0, 1.0, 2.0, 5.0, 5.1, 9.0)], 9.0, 0.1, long_prompt=record(2.5, 5.05))
    figures = summarize([one])
    assert figures["long_prompt_ttft_seconds"]["p50"] == pytest.approx(2.55)
    assert figures["long_prompt_gap_seconds"]["worst"] == pytest.approx(3.0)


def test_the_table_shows_each_server_beside_its_ratio_to_the_first() -> None:
    half = Round(ROUND.records, 5.0, 0.25)
    lines = table({"ours": summarize([ROUND]), "theirs": summarize([half])}).splitlines()
    assert lines[0].split() == ["ours", "theirs", "/", "ours"]
    assert lines[1].split() == ["tokens/s", "2.0", "1.0", "0.50"]
    assert not any("long prompt" in line for line in lines)
