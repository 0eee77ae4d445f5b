"""`python -m tools.bench.compare DIRECTORY`: every row of the comparison with llama-server, in one run.

Owns the command line. DIRECTORY holds what `python -m tools.bench.peers DIRECTORY` built, and the bench models, written where missing.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import psutil

from tools.bench.compare import servers
from tools.bench.compare.chart import write_chart
from tools.bench.compare.contest import Contest
from tools.bench.compare.report import Report, machine, markdown, rewrite_section, table
from tools.bench.compare.rows import ROWS, Row
from tools.bench.compare.verdict import judge
from tools.bench.peers import example_server_script, python_of_servers

RESULTS = Path(__file__).with_name("results.json")
CHART = Path(__file__).with_name("results.svg")
README = Path(__file__).parents[3] / "README.md"


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tools.bench.compare", description="Compare Trueline with llama-server, row by row."
    )
    parser.add_argument("directory", type=Path, help="where tools.bench.peers built llama-server")
    parser.add_argument("--rows", type=_letters, default=tuple(ROWS), metavar="a,b,...", help="default: all")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each server; medians are shown")
    parser.add_argument("--quick", action="store_true", help="less work in each round: a first impression")
    parser.add_argument("--threads", type=int, default=psutil.cpu_count(logical=False) or os.cpu_count() or 1)
    parser.add_argument("--models", type=Path, help="directory of the bench models (default: DIRECTORY/models)")
    parser.add_argument("--llama-server", type=Path, metavar="PROGRAM", help="default: the one built in DIRECTORY")
    parser.add_argument("--python-peers", action="store_true", help="llama-cpp-python's two servers too")
    parser.add_argument("--without-peer", action="store_true", help="this server alone")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="draw the ratios there (SVG)")
    parser.add_argument("--publish", action="store_true", help=f"into {README.name}, {RESULTS.name} and {CHART.name}")
    return parser.parse_args(argv)


def _letters(text: str) -> tuple[str, ...]:
    letters = tuple(text.split(","))
    if unknown := [letter for letter in letters if letter not in ROWS]:
        raise argparse.ArgumentTypeError(f"no row {unknown[0]!r}; there are {', '.join(ROWS)}")
    return letters


def _kinds(arguments: argparse.Namespace) -> list[servers.Kind]:
    kinds = [servers.trueline()]
    if not arguments.without_peer:
        kinds.append(servers.llama_server(arguments.llama_server or arguments.directory / "build/bin/llama-server"))
    if arguments.python_peers:
        python = python_of_servers(arguments.directory)
        kinds.append(servers.llama_cpp_server(python))
        kinds.append(servers.example_server(python, example_server_script(arguments.directory)))
    return kinds


def compared(
    rows: Iterable[Row], kinds: Sequence[servers.Kind], *, models_dir: Path, threads: int, rounds: int, is_quick: bool
) -> Report:
    """Measures the rows, says how it goes, and prints the table."""
    contest = Contest(kinds, models_dir, threads, rounds, is_quick, _say)
    report = Report(machine(), threads, rounds, is_quick)
    for row in rows:
        outcomes = contest.run(row)
        report.add(row, judge(row.lines, outcomes), outcomes)
    report.finish()
    print(table(report))
    return report


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and write; 1 if a bound was not kept."""
    arguments = _arguments(argv)
    report = compared(
        [ROWS[letter] for letter in arguments.rows],
        _kinds(arguments),
        models_dir=arguments.models or arguments.directory / "models",
        threads=arguments.threads,
        rounds=arguments.rounds,
        is_quick=arguments.quick,
    )
    _write(arguments, report)
    return 0 if report.keeps_every_bound else 1


def _write(arguments: argparse.Namespace, report: Report) -> None:
    json_path, chart_path = arguments.json, arguments.chart
    if arguments.publish:
        json_path, chart_path = json_path or RESULTS, chart_path or CHART
        rewrite_section(
            README, f"{markdown(report)}\n\n![The ratios of the table]({CHART.relative_to(README.parent).as_posix()})"
        )
    if json_path:
        json_path.write_text(report.as_json(), encoding="utf-8")
    if chart_path:
        write_chart(chart_path, report)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
