"""A process that writes one quantized file: `python -m engine.worker.quantize SOURCE TARGET FILE_TYPE REQUANTIZES`.

Prints what went wrong, if its exit code is 1. Whoever started it holds the other end of its standard input: once that is
gone, so is this process with its file. Must not know families, nor what the file is called in the end.
"""

import os
import signal
import sys
import threading
from pathlib import Path

from engine.llama.library import LlamaError
from engine.llama.quantization import quantize


def main() -> int:
    """The exit code: 0 when the file is written and on the disk."""
    # The terminal's Ctrl-C reaches the whole process group; who started this one decides when it ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source, target, file_type, requantizes = sys.argv[1:]
    threading.Thread(target=_end_with_its_starter, args=(Path(target),), daemon=True).start()
    try:
        quantize(Path(source), Path(target), file_type=int(file_type), requantizes=bool(int(requantizes)))
        _settle(Path(target))
    except (LlamaError, OSError) as error:
        print(error)  # noqa: T201 - what its starter reads
        return 1
    return 0


def _settle(path: Path) -> None:
    """Have the file on the disk before it gets its name: a loss of power leaves no half file either."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _end_with_its_starter(target: Path) -> None:
    os.read(sys.stdin.fileno(), 1)
    target.unlink(missing_ok=True)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
