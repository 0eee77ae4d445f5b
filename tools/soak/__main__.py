"""`python -m tools.soak`: starts a server with the bundled model and an encoder, soaks it, and says what it lost.

Owns the command line and the server's settings.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.bench.compare.servers import Kind, Place, Setup, running
from tools.bench.load import in_event_loop
from tools.bench_model.tensor import Shape
from tools.make_bench_model import write_model
from tools.soak.asks import CONTEXT_TOKENS, ENCODER_MODEL, KEYS
from tools.soak.census import PREFIX_CACHE_MIB
from tools.soak.run import Soak

_PARALLEL = 4
_TIMES_CAPACITY = 3
_ENCODER = Shape("bert", 1, 64, 4, 4, 128, 1000, "F16", context=512)
_BUNDLED = Path(__file__).parents[2] / "engine/bundled/trueline-demo.gguf"


def soak(seconds: float, seed: int = 0) -> Soak:
    """Soaks a server of its own, whose log must hold no traceback afterwards."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        write_model(directory / f"{ENCODER_MODEL}.gguf", _ENCODER, name=ENCODER_MODEL)
        (directory / "keys").write_text("\n".join(KEYS), encoding="utf-8")
        setup = Setup(_BUNDLED.stem, parallel=_PARALLEL, context_tokens=CONTEXT_TOKENS)
        kind = Kind("soaked", _command, "/ready")
        with running(kind, setup, model=_BUNDLED, threads=1, directory=directory) as server:
            one = Soak(server.url, server.process.pid, _PARALLEL * _TIMES_CAPACITY, seed)
            in_event_loop(one.run(seconds))
        log = (directory / "server.log").read_text("utf-8", errors="replace")
        if "Traceback" in log:
            one.faults.append("the server's log has a traceback")
            one.log = log
    return one


def _command(setup: Setup, place: Place) -> list[str]:
    encoder = place.directory / f"{ENCODER_MODEL}.gguf"
    options: list[object] = ["--model", f"{setup.model}={place.model}", "--model", f"{ENCODER_MODEL}={encoder}"]
    options += ["--ctx-size", setup.context_tokens, "--parallel", setup.parallel, "--threads", place.threads]
    options += ["--port", place.port, "--api-key-file", place.directory / "keys", "--data-dir", place.directory]
    options += [
        "--prefix-cache-mib",
        PREFIX_CACHE_MIB,
        "--max-queue",
        setup.parallel * 2,
        "--log-level",
        "warning",
        "--validate-responses",
    ]
    return [sys.executable, "-m", "handlers", "serve", *map(str, options)]


def main(argv: Sequence[str] | None = None) -> int:
    """Soak and report; 1 if anything was lost or went wrong."""
    parser = argparse.ArgumentParser(prog="tools.soak", description="Load a server and look for what it lost.")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    one = soak(arguments.minutes * 60, arguments.seed)
    for (kind, outcome), count in sorted(one.counts.items()):
        print(f"{kind:16} {outcome:8} {count:8,}")
    for label, look in (("before", one.before), ("after", one.after)):
        print(f"{label:7} {look}")
    print(one.log, end="")
    print("\n".join(one.faults) or "nothing was lost")
    return 1 if one.faults else 0


if __name__ == "__main__":
    sys.exit(main())
