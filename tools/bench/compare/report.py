"""What a comparison found, as a table for the terminal, a section for the README, and JSON with every round.

Owns their layout. Must not know how figures come about.
"""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tools.bench.compare.rows import Row
from tools.bench.compare.servers import LLAMA_SERVER, OURS
from tools.bench.compare.verdict import Outcome, Result, median
from tools.bench.report import aligned

BEGIN = "<!-- figures of `make bench`: begin -->"
END = "<!-- figures of `make bench`: end -->"

_CPU_DESCRIPTION = Path("/proc/cpuinfo")


@dataclass
class Report:
    """All rows of one run."""

    machine: str
    threads: int
    rounds: int
    is_quick: bool
    load_before: float = field(default_factory=lambda: os.getloadavg()[0])
    load_after: float = 0.0
    rows: list[tuple[Row, list[Result], Mapping[str, Sequence[Outcome]]]] = field(default_factory=list)

    def add(self, row: Row, results: list[Result], outcomes: Mapping[str, Sequence[Outcome]]) -> None:
        """One more row."""
        self.rows.append((row, results, outcomes))

    def finish(self) -> None:
        """Note that nothing more is measured."""
        self.load_after = os.getloadavg()[0]

    @property
    def keeps_every_bound(self) -> bool:
        """Whether every row that could be judged keeps its promises, and this server failed in none."""
        failed = any(outcome.failure for _, _, outcomes in self.rows for outcome in outcomes.get(OURS, ()))
        return not failed and all(result.is_kept is not False for _, results, _ in self.rows for result in results)

    def as_json(self) -> str:
        """Every figure of every round, and what stands behind it."""
        document: dict[str, Any] = {
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": self.machine,
            "threads": self.threads,
            "rounds": self.rounds,
            "quick": self.is_quick,
            "load": [self.load_before, self.load_after],
            "llama_cpp_python": version("llama-cpp-python"),
            "rows": [_row_document(*row) for row in self.rows],
        }
        return json.dumps(document, indent=1) + "\n"


def _row_document(row: Row, results: Sequence[Result], outcomes: Mapping[str, Sequence[Outcome]]) -> dict[str, Any]:
    lines = [
        {
            "figure": result.line.figure,
            "unit": result.line.unit,
            "against": result.line.against or LLAMA_SERVER,
            "ours": result.ours,
            "base": result.base,
            "comparison": result.comparison,
            "bound": str(result.line.bound) if result.line.bound else None,
            "kept": result.is_kept,
        }
        for result in results
    ]
    rounds = {name: [asdict(outcome) for outcome in of_server] for name, of_server in outcomes.items()}
    return {"row": row.letter, "work": row.work, "lines": lines, "rounds": rounds}


def machine() -> str:
    """The processor and the system in a few words."""
    name = platform.processor() or platform.machine()
    if _CPU_DESCRIPTION.exists():
        fields = dict(line.partition(":")[::2] for line in _CPU_DESCRIPTION.read_text("utf-8").splitlines())
        name = next((value.strip() for key, value in fields.items() if key.strip() == "model name"), name)
    return f"{os.cpu_count()} cores of {name}, {platform.system()}"


def cells(report: Report) -> list[list[str]]:
    """The table: a header, then a line for each figure."""
    others = _other_peers(report)
    table_rows = [["", "work", "figure", OURS, LLAMA_SERVER, "ratio", "target", "", *others]]
    for row, results, outcomes in report.rows:
        for position, result in enumerate(results):
            begin = [row.letter, row.work] if position == 0 else ["", ""]
            table_rows.append([*begin, *_line(result, outcomes), *(_peer(outcomes, name, result) for name in others)])
    return table_rows


def _line(result: Result, outcomes: Mapping[str, Sequence[Outcome]]) -> list[str]:
    line, kept = result.line, result.is_kept
    base = _number(result.base, outcomes.get(LLAMA_SERVER, ()) if line.against is None else ())
    if line.against is not None:
        base = f"({base} {'FastAPI' if 'FastAPI' in line.against else 'plain'})"
    compared = result.comparison
    is_difference = line.bound is not None and line.bound.at_most_more is not None
    shown = "-" if compared is None else f"{compared:+.0f}" if is_difference else f"{compared:.2f}"
    verdict = "" if kept is None else "kept" if kept else "missed"
    ours = _number(result.ours, outcomes.get(OURS, ()))
    return [f"{line.figure}, {line.unit}", ours, base, shown, str(line.bound or ""), verdict]


def _number(value: float | None, outcomes: Sequence[Outcome]) -> str:
    if value is None:
        return "breaks" if any(outcome.failure for outcome in outcomes) else "-"
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def _other_peers(report: Report) -> list[str]:
    names = dict.fromkeys(name for _, _, outcomes in report.rows for name in outcomes)
    return [name for name in names if name not in (OURS, LLAMA_SERVER)]


def _peer(outcomes: Mapping[str, Sequence[Outcome]], name: str, result: Result) -> str:
    of_server = outcomes.get(name, ())
    return _number(median(of_server, result.line.figure) if result.line.against is None else None, of_server)


def table(report: Report) -> str:
    """For the terminal, failures below."""
    return "\n".join([_conditions(report), *aligned(cells(report)), *_remarks(report)])


def _remarks(report: Report) -> list[str]:
    """What went wrong, once each."""
    remarks = [
        f"{row.letter}: {name}: {remark.splitlines()[0]}"
        for row, _, outcomes in report.rows
        for name, of_server in outcomes.items()
        for outcome in of_server
        for remark in (*([outcome.failure] if outcome.failure else ()), *outcome.notes)
    ]
    return list(dict.fromkeys(remarks))


def markdown(report: Report) -> str:
    """For the README."""
    header, *lines = cells(report)
    rule = ["---", "---", "---", *["---:"] * 3, *["---"] * (len(header) - 6)]
    body = "\n".join(f"| {' | '.join(line)} |" for line in [header, rule, *lines])
    remarks = "\n".join(f"- {remark}" for remark in _remarks(report))
    return f"{_conditions(report)}\n\n{body}{chr(10) * 2 if remarks else ''}{remarks}"


def _conditions(report: Report) -> str:
    rounds = f"medians of {report.rounds} rounds" if report.rounds > 1 else "one round"
    quick = ", quick" if report.is_quick else ""
    load = f"load {report.load_before:.1f} before and {report.load_after:.1f} after"
    bindings = f"llama-cpp-python {version('llama-cpp-python')}"
    return f"{report.machine}; {report.threads} threads; {rounds}{quick}; {load}; llama.cpp of {bindings}."


def rewrite_section(path: Path, text: str) -> None:
    """Replace what stands between the two markers; raises ValueError where they are not."""
    before, begin, rest = path.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} has no section between {BEGIN} and {END}")
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
