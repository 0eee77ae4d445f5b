"""`python -m tools.make_bench_adapter lora|control-vector MODEL.gguf FILE.gguf`: a random adapter for a model, to test with."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.bench_model.adapters import write_control_vector, write_lora

_WRITERS = {"lora": write_lora, "control-vector": write_control_vector}


def main(argv: Sequence[str] | None = None) -> int:
    """Write one adapter."""
    parser = argparse.ArgumentParser(prog="make_bench_adapter", description=__doc__)
    parser.add_argument("kind", choices=_WRITERS)
    parser.add_argument("model", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--strength", type=float, default=1.0, help="size of its effect beside what it changes")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    _WRITERS[arguments.kind](arguments.file, arguments.model, strength=arguments.strength, seed=arguments.seed)
    print(f"{arguments.file}: {arguments.file.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
