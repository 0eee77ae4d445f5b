"""One build of llama.cpp with CUDA: llama-server, and the libraries that the bindings load. Must not know Python packages or measurements.

What is compiled stays: a slice that ran out of time goes on where it was cut off.
"""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

TARGETS = ("llama-server", "llama", "mtmd")

_OPTIONS = {
    "CMAKE_BUILD_TYPE": "Release",
    "BUILD_SHARED_LIBS": "ON",
    "GGML_CUDA": "ON",
    "CMAKE_CUDA_ARCHITECTURES": "native",
    "LLAMA_CURL": "OFF",
    "LLAMA_OPENSSL": "OFF",
    "LLAMA_BUILD_UI": "OFF",
    "LLAMA_USE_PREBUILT_UI": "OFF",
    "LLAMA_BUILD_TESTS": "OFF",
    "LLAMA_BUILD_EXAMPLES": "OFF",
}


def commands(source: Path, state: Path, programs: Path, jobs: int) -> list[list[str]]:
    """What has to be run, in order. `programs`: where cmake and ninja are."""
    output = state / "build"
    options = [f"-D{name}={value}" for name, value in _OPTIONS.items()]
    ninja = ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={programs / 'ninja'}"]
    cmake = str(programs / "cmake")
    return [
        [cmake, *ninja, "-S", str(source / "vendor" / "llama.cpp"), "-B", str(output), *options],
        [cmake, "--build", str(output), "-j", str(jobs), "--target", *TARGETS],
    ]


def run(steps: Sequence[Sequence[str]], *, within_seconds: float) -> bool:
    """Whether all of them were done in time. Raises CalledProcessError where one failed."""
    try:
        for step in steps:
            subprocess.run(
                step, check=True, timeout=within_seconds, env={**os.environ, "CMAKE_COLOR_DIAGNOSTICS": "OFF"}
            )
    except subprocess.TimeoutExpired:
        return False
    return True


def libraries(state: Path) -> Path:
    """Where the build puts programs and libraries."""
    return state / "build" / "bin"
