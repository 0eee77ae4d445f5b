"""`python -m tools.bench_gpu DIRECTORY`: rows a to f on a GPU, with models in the shapes of 1B and 8B ones, at 1, 8, 32 and 64 clients.

Owns the rows' sizes. llama-cpp-python must have been built for the GPU (`CMAKE_ARGS=-DGGML_CUDA=on make install`); `llama-server` is built
here with the same option, and both put all layers on it.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tools.bench import peers
from tools.bench.compare.__main__ import compared
from tools.bench.compare.rows import ROWS, Row, decoding_row
from tools.bench.compare.servers import LLAMA_SERVER, llama_server, trueline
from tools.bench.compare.verdict import Bound

CLIENTS = (1, 8, 32, 64)
MODELS = ("1b", "8b")

_LEVEL_ON_GPU = Bound(at_least=0.95)


def rows(model: str) -> list[Row]:
    """The rows for one model. Row b's question, the cost of everything that is not the model, is what row a asks on a GPU."""
    plain = decoding_row("a", f"plain streams, {model}", model, CLIENTS, _LEVEL_ON_GPU, per_client=2, alone=4)
    return [plain, *(_on(ROWS[letter], model) for letter in "cdef")]


def _on(row: Row, model: str) -> Row:
    assert row.setup is not None
    work = f"{row.work.rpartition(', ')[0]}, {model}"
    return replace(row, work=work, setup=replace(row.setup, model=model))


def main(argv: Sequence[str] | None = None) -> int:
    """Build what is missing, measure, print; 1 if a bound was not kept."""
    parser = argparse.ArgumentParser(prog="tools.bench_gpu", description="Compare with llama-server on a GPU.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--option", default="-DGGML_CUDA=ON", help="what llama-server is built with")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="less work in each round")
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    arguments = parser.parse_args(argv)
    arguments.directory.mkdir(parents=True, exist_ok=True)
    directory = arguments.directory.resolve()
    program = peers.build(directory, [arguments.option], peers.processors()) / LLAMA_SERVER
    report = compared(
        [row for model in arguments.models for row in rows(model)],
        [trueline(), llama_server(program)],
        models_dir=directory / "models",
        threads=arguments.threads,
        rounds=arguments.rounds,
        is_quick=arguments.quick,
    )
    if arguments.json:
        arguments.json.write_text(report.as_json(), encoding="utf-8")
    return 0 if report.keeps_every_bound else 1


if __name__ == "__main__":
    sys.exit(main())
