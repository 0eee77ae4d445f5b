"""What a machine without network must be brought, and the interpreter that is made of it there.

Owns the downloads, and the environment. llama-cpp-python is not installed: its Python part is taken from the source package and put
beside the libraries that `tools.bench_gpu.build` made of the same source, so that both servers run on one build. Must not know
compilers or measurements.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
BINDINGS = "llama-cpp-python"
_BINDINGS_NEED = ("diskcache", "typing-extensions")
_TOOLS = ("cmake", "ninja", "gguf")


class NothingCarried(Exception):
    """Something that had to be brought is not there; the message names it."""


def requirements() -> list[str]:
    """What the server, the measurements and the build need of Python packages, all of which are there as wheels."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    return [*(each for each in project["dependencies"] if not each.startswith(BINDINGS)), *_BINDINGS_NEED, *_TOOLS]


def pack(directory: Path, *, python_version: str, platform: str) -> None:
    """Download all of it, for an interpreter of this version and platform tag. Needs the network."""
    wheels = directory / "wheels"
    target = ["--python-version", python_version, "--platform", platform, "--only-binary", ":all:"]
    constraints = ["-c", str(ROOT / "constraints.txt")]
    _pip(["download", "-d", str(wheels), *target, *constraints, *requirements()])
    _pip(["download", "-d", str(directory), "--no-deps", "--no-binary", BINDINGS, *constraints, BINDINGS])


def unpack_source(carried: Path, state: Path) -> Path:
    """llama-cpp-python's source package, unpacked. Raises NothingCarried."""
    archives = sorted(carried.glob("llama_cpp_python-*.tar.gz"))
    if not archives:
        raise NothingCarried(f"{carried} has no llama_cpp_python-*.tar.gz: `pack` puts it there")
    source = state / archives[-1].name.removesuffix(".tar.gz")
    if not source.is_dir():
        with tarfile.open(archives[-1]) as archive:
            archive.extractall(state, filter="data")
    return source


def environment(carried: Path, state: Path) -> Path:
    """The interpreter with everything but the bindings. Raises NothingCarried; nothing is fetched."""
    wheels = carried / "wheels"
    if not wheels.is_dir():
        raise NothingCarried(f"{wheels} is not there: `pack` makes it")
    python = state / "python" / "bin" / "python"
    done = state / "python" / "complete"
    if not done.exists():
        venv.create(state / "python", with_pip=True)
        offline = ["install", "--quiet", "--no-index", "--find-links", str(wheels)]
        _pip([*offline, *requirements()], python=python)
        done.touch()
    return python


def link_bindings(source: Path, libraries: Path, state: Path) -> Path:
    """A directory for PYTHONPATH that has the bindings on top of the built `libraries`."""
    site = state / "site"
    package = site / "llama_cpp"
    if not package.exists():
        shutil.copytree(source / "llama_cpp", package, ignore=shutil.ignore_patterns("lib"))
        (package / "lib").symlink_to(libraries, target_is_directory=True)
    return site


def _pip(arguments: Sequence[str], python: Path | None = None) -> None:
    command = [str(python or sys.executable), "-m", "pip", *arguments]
    subprocess.run(command, check=True, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
