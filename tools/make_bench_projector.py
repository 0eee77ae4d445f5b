"""`python -m tools.make_bench_projector PRESET FILE.gguf --width N`: random weights that let a model see or hear, for tests.

Owns the command. What such a file holds is `tools/bench_model/projectors.py`'s.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.bench_model.projectors import PROJECTORS, write_projector


def main(argv: Sequence[str] | None = None) -> int:
    """Write one projector."""
    parser = argparse.ArgumentParser(prog="make_bench_projector", description="Write a projector with random weights.")
    parser.add_argument("preset", choices=PROJECTORS)
    parser.add_argument("file", type=Path)
    parser.add_argument("--width", type=int, default=64, help="embedding length of the model (default: 64)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    write_projector(arguments.file, PROJECTORS[arguments.preset], model_width=arguments.width, seed=arguments.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
