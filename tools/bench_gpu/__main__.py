"""`python -m tools.bench_gpu STEP ...`: the comparison with llama-server on a GPU, a step of at most ten minutes at a time.

    pack CARRIED                 on a machine with network: what the other one has to be brought
    build CARRIED STATE          compile with CUDA; again until it says that all is built
    prove STATE                  the layers are on the GPU
    measure STATE MODEL ROW      one row on one model; `plan` lists them all
    table STATE                  everything measured so far

The machine with the GPU needs Python, a C++ compiler, the CUDA toolkit and nvidia-smi, this repository, and CARRIED; no network.
STATE keeps what steps have done. Owns the command line. Must not know how each step works.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.bench_gpu import build, carry

_STEP_SECONDS = 540.0
_PROVED_ON = "1b"


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tools.bench_gpu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    steps = parser.add_subparsers(dest="step", required=True)
    pack = steps.add_parser("pack")
    pack.add_argument("carried", type=Path)
    pack.add_argument("--python-version", default=f"{sys.version_info.major}.{sys.version_info.minor}")
    pack.add_argument("--platform", default="manylinux_2_28_x86_64", help="a wheel's platform tag")
    made = steps.add_parser("build")
    made.add_argument("carried", type=Path)
    made.add_argument("state", type=Path)
    made.add_argument("--dry-run", action="store_true", help="only say what would be run")
    made.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    made.add_argument("--within-seconds", type=float, default=_STEP_SECONDS)
    steps.add_parser("plan").add_argument("state", type=Path)
    steps.add_parser("prove").add_argument("state", type=Path)
    measure = steps.add_parser("measure")
    measure.add_argument("state", type=Path)
    measure.add_argument("model")
    measure.add_argument("row")
    measure.add_argument("--rounds", type=int, default=1)
    measure.add_argument("--clients", type=_numbers, default=None, metavar="1,8,...", help="rows a and b: in parts")
    steps.add_parser("table").add_argument("state", type=Path)
    return parser.parse_args(argv)


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(map(int, text.split(",")))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected numbers separated by commas, not {text!r}") from None


def _pack(arguments: argparse.Namespace) -> int:
    carry.pack(arguments.carried, python_version=arguments.python_version, platform=arguments.platform)
    return 0


def _build(arguments: argparse.Namespace) -> int:
    state: Path = arguments.state.resolve()
    state.mkdir(parents=True, exist_ok=True)
    source = carry.unpack_source(arguments.carried.resolve(), state)
    steps = build.commands(source, state, state / "python" / "bin", arguments.jobs)
    if arguments.dry_run:
        print("\n".join(" ".join(step) for step in steps))
        return 0
    python = carry.environment(arguments.carried.resolve(), state)
    if not build.run(steps, within_seconds=arguments.within_seconds):
        print("not all is built yet; run this step again")
        return 1
    site = carry.link_bindings(source, build.libraries(state), state)
    print(
        f"all is built; go on with PYTHONPATH={site}:{carry.ROOT} {python} -m tools.bench_gpu prove {arguments.state}"
    )
    return 0


def _plan(arguments: argparse.Namespace) -> int:
    from tools.bench_gpu.rows import slices  # noqa: PLC0415 - `build` runs before its packages are there

    print("\n".join(f"measure {arguments.state} {model} {letter}" for model, letter in slices()))
    return 0


def _prove(arguments: argparse.Namespace) -> int:
    from tools.bench_gpu.proof import prove  # noqa: PLC0415 - as above

    proof = prove(arguments.state / "models", _PROVED_ON, os.cpu_count() or 1)
    _results(arguments.state, "proof").write_text(json.dumps(proof.as_dict(), indent=2), encoding="utf-8")
    print(json.dumps(proof.as_dict(), indent=2))
    return 0 if proof.holds else 1


def _measure(arguments: argparse.Namespace) -> int:
    from tools.bench_gpu import slices  # noqa: PLC0415 - as above

    table, report = slices.measure(
        arguments.state,
        build.libraries(arguments.state.resolve()),
        model=arguments.model,
        letter=arguments.row,
        clients=arguments.clients,
        rounds=arguments.rounds,
    )
    part = "" if arguments.clients is None else f"-{'-'.join(map(str, arguments.clients))}"
    _results(arguments.state, f"{arguments.model}-{arguments.row}{part}", "md").write_text(table, encoding="utf-8")
    _results(arguments.state, f"{arguments.model}-{arguments.row}{part}").write_text(report, encoding="utf-8")
    print(table)
    return 0


def _table(arguments: argparse.Namespace) -> int:
    parts = sorted((arguments.state / "results").glob("*.md"))
    proof = arguments.state / "results" / "proof.json"
    print(
        "\n\n".join([*([proof.read_text("utf-8")] if proof.exists() else []), *(p.read_text("utf-8") for p in parts)])
    )
    return 0


def _results(state: Path, name: str, suffix: str = "json") -> Path:
    folder = state / "results"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.{suffix}"


_STEPS: dict[str, Callable[[argparse.Namespace], int]] = {
    "pack": _pack,
    "build": _build,
    "plan": _plan,
    "prove": _prove,
    "measure": _measure,
    "table": _table,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one step; 1 where it is not complete or did not hold, 2 where something is missing."""
    arguments = _arguments(argv)
    try:
        return _STEPS[arguments.step](arguments)
    except (carry.NothingCarried, ValueError) as error:
        print(f"tools.bench_gpu: {error}", file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as error:
        print(f"tools.bench_gpu: {Path(error.cmd[0]).name} failed with {error.returncode}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
