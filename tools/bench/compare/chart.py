"""The ratios of a comparison as a bar chart (SVG).

Must not know how figures come about. Longer is better in every row: a time counts as the peer's over ours.
"""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from tools.bench.compare.report import Report
from tools.bench.compare.verdict import Result

_OURS, _TARGET = "#2f6f9f", "#c0392b"


def write_chart(path: Path, report: Report) -> None:
    """Draw every judged ratio on a logarithmic axis, its target as a tick. The same figures give the same file."""
    bars = [
        (f"{row.letter}  {row.work}: {result.line.figure}", *_lengths(result))
        for row, results, _ in report.rows
        for result in results
        if result.comparison and result.line.bound and result.line.bound.at_most_more is None
    ]
    labels = [label for label, _, _ in bars]
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "trueline", "font.size": 9}):
        figure = Figure(figsize=(10, 1.2 + 0.3 * len(bars)), layout="constrained")
        axes = figure.add_subplot()
        axes.barh(labels, [length for _, length, _ in bars], color=_OURS, height=0.6)
        axes.scatter(
            [target for _, _, target in bars], labels, marker="|", s=160, color=_TARGET, zorder=3, label="target"
        )
        axes.axvline(1, color="black", linewidth=0.8)
        axes.set_xscale("log")
        axes.set_xlabel("times as good as what the row compares with (llama-server unless it says otherwise)")
        axes.invert_yaxis()
        axes.legend(loc="lower right")
        figure.savefig(path, format="svg", metadata={"Date": None})


def _lengths(result: Result) -> tuple[float, float]:
    """The bar and the target's mark."""
    bound, compared = result.line.bound, result.comparison
    assert bound is not None
    assert compared is not None
    if bound.at_most is not None:
        return 1 / compared, 1 / bound.at_most
    return compared, bound.at_least or 1.0
