"""The comparison judges figures by its bounds, and shows them as they are."""

from pathlib import Path

import pytest

from tools.bench.compare.chart import write_chart
from tools.bench.compare.prediction import edited
from tools.bench.compare.report import BEGIN, END, Report, markdown, rewrite_section, table
from tools.bench.compare.rows import ROWS, Row
from tools.bench.compare.servers import LLAMA_SERVER, OURS
from tools.bench.compare.verdict import Bound, Line, Outcome, judge

FAST = Line("speed", "tokens/s", Bound(at_least=2))
SLOW = Line("wait", "ms", Bound(at_most=0.5))
OWN = Line("speed", "tokens/s", Bound(at_least=0.7), against="plain")
SHOWN = Line("greedy", "tokens/s")


def outcomes(ours: dict[str, float], theirs: dict[str, float]) -> dict[str, list[Outcome]]:
    return {OURS: [Outcome(ours, {})], LLAMA_SERVER: [Outcome(theirs, {})]}


def reported(lines: tuple[Line, ...], measured: dict[str, list[Outcome]]) -> Report:
    report = Report("a machine", threads=2, rounds=1, is_quick=False)
    report.add(Row("x", "some work", lines), judge(lines, measured), measured)
    report.finish()
    return report


@pytest.mark.parametrize(
    ("bound", "value", "kept"),
    [
        (Bound(at_least=2), 200, True),
        (Bound(at_least=2), 199, False),
        (Bound(at_most=0.5), 50, True),
        (Bound(at_most=0.5), 51, False),
        (Bound(at_most_more=250), 350, True),
        (Bound(at_most_more=250), 351, False),
    ],
)
def test_a_bound_is_kept_up_to_its_edge(bound: Bound, value: float, kept: bool) -> None:
    assert bound.is_kept(value, 100) is kept


def test_medians_over_the_rounds_are_what_is_judged() -> None:
    rounds = {OURS: [Outcome({"speed": s}, {}) for s in (1, 30, 20)], LLAMA_SERVER: [Outcome({"speed": 10}, {})]}
    (result,) = judge([FAST], rounds)
    assert (result.ours, result.base, result.comparison, result.is_kept) == (20, 10, 2.0, True)


def test_a_figure_may_be_held_against_another_of_ours() -> None:
    (result,) = judge([OWN], outcomes({"speed": 60, "plain": 100}, {"speed": 1}))
    assert (result.comparison, result.is_kept) == (0.6, False)


def test_a_line_without_a_bound_and_one_without_a_peer_are_not_judged() -> None:
    assert [result.is_kept for result in judge([SHOWN, FAST], outcomes({"greedy": 5, "speed": 5}, {"greedy": 10}))] == [
        None,
        None,
    ]


def test_a_failure_of_ours_is_a_failure_of_the_run_and_is_told_below_the_table() -> None:
    failed = {
        OURS: [Outcome({}, {}, failure="it broke\nin detail")],
        LLAMA_SERVER: [Outcome({"speed": 1}, {}, notes=("odd",))],
    }
    report = reported((FAST,), failed)
    assert not report.keeps_every_bound
    assert table(report).splitlines()[-2:] == [f"x: {OURS}: it broke", f"x: {LLAMA_SERVER}: odd"]
    assert "breaks" in markdown(report)


def test_the_readmes_section_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    rewrite_section(
        readme, markdown(reported((FAST, SLOW), outcomes({"speed": 30, "wait": 5}, {"speed": 10, "wait": 20})))
    )
    text = readme.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| x | some work | speed, tokens/s | 30.0 | 10.0 | 3.00 | ≥ 2 | kept |" in text
    assert "|  |  | wait, ms | 5.0 | 20.0 | 0.25 | ≤ 0.5 | kept |" in text


def test_a_readme_without_the_section_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("nothing")
    with pytest.raises(ValueError, match="has no section"):
        rewrite_section(tmp_path / "README.md", "x")


def test_the_same_figures_draw_the_same_chart(tmp_path: Path) -> None:
    report = reported((FAST, SLOW, OWN), outcomes({"speed": 30, "wait": 5, "plain": 40}, {"speed": 10, "wait": 20}))
    write_chart(tmp_path / "a.svg", report)
    write_chart(tmp_path / "b.svg", report)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert "some work: wait" in (tmp_path / "a.svg").read_text()


def test_every_row_of_the_table_has_figures_and_a_way_to_measure_them() -> None:
    assert list(ROWS) == list("abcdefghij")
    for row in ROWS.values():
        assert row.lines
        assert (row.measure_alone is None) == (row.setup is not None) == (row.measure is not None)


def test_a_prediction_differs_from_the_answer_in_a_few_words() -> None:
    text = "".join(f" w{number}" for number in range(200))
    changed = [pair for pair in zip(text.split(" "), edited(text).split(" "), strict=True) if len(set(pair)) == 2]
    assert len(changed) == 4
