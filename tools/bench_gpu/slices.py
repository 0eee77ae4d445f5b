"""Measures one slice: a row of the comparison on one model. Must not know the command line."""

import os
from collections.abc import Sequence
from pathlib import Path

from tools.bench.compare.contest import Contest
from tools.bench.compare.report import Report, machine, markdown
from tools.bench.compare.verdict import judge
from tools.bench_gpu.rows import CLIENTS, MODELS, kinds, rows


def measure(
    state: Path, programs: Path, *, model: str, letter: str, clients: Sequence[int] | None, rounds: int
) -> tuple[str, str]:
    """The slice as a table and as JSON. Raises ValueError for one that there is not."""
    if model not in MODELS:
        raise ValueError(f"no model {model!r}; there are {', '.join(MODELS)}")
    known = rows(model, clients or CLIENTS)
    if letter not in known:
        raise ValueError(f"no row {letter!r}; there are {', '.join(known)}")
    threads = os.cpu_count() or 1
    contest = Contest(kinds(programs), state / "models", threads, rounds, is_quick=False, say=print)
    report = Report(machine(), threads, rounds, is_quick=False)
    outcomes = contest.run(known[letter])
    report.add(known[letter], judge(known[letter].lines, outcomes), outcomes)
    report.finish()
    return markdown(report), report.as_json()
