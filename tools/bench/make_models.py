"""The bench models by name: each is written once into a directory and found there afterwards.

Must not know what they are used for.
"""

from pathlib import Path

from tools.bench_model.shapes import PRESETS
from tools.make_bench_model import write_model


def bench_model(directory: Path, preset: str) -> Path:
    """The model's file, written now if it is not there yet. A write that is interrupted leaves no file of that name."""
    path = directory / f"{preset}.gguf"
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        write_model(partial, PRESETS[preset], name=f"bench-{preset}")
        partial.rename(path)
    return path
