"""`python -m tools.bench.peers DIRECTORY`: builds llama.cpp's own server, the strongest peer, to be measured beside this one.

Owns the download and the build, all of it inside DIRECTORY. llama-cpp-python's source package vendors llama.cpp whole, so the peer stands
on the very llama.cpp that this server stands on. Takes minutes; what is already built is kept.
"""

import argparse
import os
import re
import subprocess
import sys
import tarfile
import venv
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

PACKAGE = "llama-cpp-python"
TARGETS = ("llama-server", "llama-bench")

_OPTIONS = {
    "CMAKE_BUILD_TYPE": "Release",
    "BUILD_SHARED_LIBS": "OFF",
    "LLAMA_CURL": "OFF",
    "LLAMA_OPENSSL": "OFF",
    "LLAMA_BUILD_UI": "OFF",
    "LLAMA_USE_PREBUILT_UI": "OFF",
    "LLAMA_BUILD_TESTS": "OFF",
    "LLAMA_BUILD_EXAMPLES": "OFF",
}
_PYTHON_SERVERS = "python-servers"
_FIRST_GCC_WITHOUT_AMX_BUG = 14


def source(directory: Path) -> Path:
    """llama.cpp's source in `directory`, fetched by pip if it is not there yet."""
    release = version(PACKAGE)
    unpacked = directory / f"{PACKAGE.replace('-', '_')}-{release}"
    if not unpacked.is_dir():
        _run(
            _pip("download", "--no-binary", PACKAGE, "--no-deps", f"{PACKAGE}=={release}"),
            directory,
        )
        with tarfile.open(f"{unpacked}.tar.gz") as archive:
            archive.extractall(directory, filter="data")
    return unpacked / "vendor" / "llama.cpp"


def build(directory: Path, options: Sequence[str], jobs: int) -> Path:
    """The folder of the built programs. `options` are further ones for cmake, such as `-DGGML_CUDA=ON`."""
    programs = _build_tools(directory)
    output = directory / "build"
    compiler_flags = [f"-DCMAKE_{language}_FLAGS={_compiler_flags()}" for language in ("C", "CXX")]
    settings = [f"-D{name}={value}" for name, value in _OPTIONS.items()]
    command: list[str | Path] = [programs / "cmake", "-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={programs / 'ninja'}"]
    command += ["-S", source(directory), "-B", output, *settings, *compiler_flags, *options]
    _run(command, directory)
    _run([programs / "cmake", "--build", output, "-j", str(jobs), "--target", *TARGETS], directory)
    return output / "bin"


def install_python_servers(directory: Path) -> None:
    """llama-cpp-python with its server, and what its batched example imports, in an environment of their own."""
    python = python_of_servers(directory)
    if not python.exists():
        venv.create(directory / _PYTHON_SERVERS, with_pip=True)
    flags = _compiler_flags()
    environment = {"CFLAGS": flags, "CXXFLAGS": flags}
    requirements = [f"{PACKAGE}[server]=={version(PACKAGE)}", "openai", "safetensors", "websockets"]
    _run([python, "-m", "pip", "install", "--quiet", *requirements], directory, environment)


def python_of_servers(directory: Path) -> Path:
    """The interpreter that runs llama-cpp-python's own servers."""
    return directory / _PYTHON_SERVERS / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def example_server_script(directory: Path) -> Path:
    """llama-cpp-python's batched example."""
    return source(directory).parents[1] / "examples/server/server.py"


def _build_tools(directory: Path) -> Path:
    """Where cmake and ninja are, installed into an environment of their own."""
    environment = directory / "build-tools"
    programs = environment / ("Scripts" if os.name == "nt" else "bin")
    if not (programs / "ninja").exists():
        venv.create(environment, with_pip=True)
        _run([programs / "python", "-m", "pip", "install", "--quiet", "cmake", "ninja"], directory)
    return programs


def _compiler_flags() -> str:
    """Before release 14 gcc miscompiles AMX's tile configuration (its bug 114098); without this macro AVX-512 takes its place."""
    banner = subprocess.run(
        [os.environ.get("CC", "cc"), "--version"], check=True, capture_output=True, text=True
    ).stdout
    release = re.match(r"(?:gcc|cc).*?\) (\d+)\.", banner)
    return "-U__AMX_INT8__" if release and int(release[1]) < _FIRST_GCC_WITHOUT_AMX_BUG else ""


def processors() -> int:
    """How many compilers may run at once."""
    return os.cpu_count() or 1


def _pip(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pip", *arguments]


def _run(command: Sequence[str | Path], directory: Path, environment: Mapping[str, str] | None = None) -> None:
    subprocess.run([str(part) for part in command], cwd=directory, check=True, env=os.environ | (environment or {}))


def main(argv: Sequence[str] | None = None) -> int:
    """Build, and say where the programs are."""
    parser = argparse.ArgumentParser(prog="tools.bench.peers", description="Build llama-server for comparison.")
    parser.add_argument("directory", type=Path)
    parser.add_argument(
        "--option", action="append", default=[], metavar="-DNAME=VALUE", help="a further option for cmake"
    )
    parser.add_argument("--python-servers", action="store_true", help="llama-cpp-python's two servers too")
    parser.add_argument("--jobs", type=int, default=processors())
    arguments = parser.parse_args(argv)
    arguments.directory.mkdir(parents=True, exist_ok=True)
    try:
        programs = build(arguments.directory.resolve(), arguments.option, arguments.jobs)
        if arguments.python_servers:
            install_python_servers(arguments.directory.resolve())
    except subprocess.CalledProcessError as error:
        print(f"{Path(error.cmd[0]).name} failed with {error.returncode}", file=sys.stderr)
        return 1
    print(f"{programs / TARGETS[0]} -m MODEL.gguf --port 8080 -np 8 -c 8192")
    return 0


if __name__ == "__main__":
    sys.exit(main())
