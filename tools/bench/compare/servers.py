"""The servers that are compared: how each is started with the same model, threads, context and number of sequences, and ended.

Owns command lines and processes. Must not know what is measured.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

OURS = "trueline"
LLAMA_SERVER = "llama-server"

_START_TIMEOUT_SECONDS = 120
_STOP_TIMEOUT_SECONDS = 15


class ServerFailed(Exception):
    """A server did not become ready; the message has the end of its output."""


@dataclass(frozen=True)
class Setup:
    """What a server has to serve. `context_tokens` are shared by `parallel` sequences, however a server divides them."""

    model: str
    parallel: int
    context_tokens: int = 8192
    is_encoder: bool = False


@dataclass(frozen=True)
class Place:
    """Where to run: the model's file, the threads, the port, and a directory for what the server writes."""

    model: Path
    threads: int
    port: int
    directory: Path


@dataclass(frozen=True)
class Kind:
    """One server program. `ready_path` answers 200 once the model is loaded. `tells_usage`: its streams end with token counts."""

    name: str
    command: Callable[[Setup, Place], list[str]]
    ready_path: str
    tells_usage: bool = True


@dataclass(frozen=True)
class Server:
    """A running server."""

    kind: str
    url: str
    process: psutil.Process

    def memory_bytes(self) -> int:
        """Resident memory of all its processes; what several of them share counts once, where the system can tell."""
        return sum(_resident_bytes(process) for process in (self.process, *self.process.children(recursive=True)))

    def processor_seconds(self) -> float:
        """Processor time of all its processes so far."""
        times = [one.cpu_times() for one in (self.process, *self.process.children(recursive=True))]
        return float(sum(one.user + one.system for one in times))


def trueline() -> Kind:
    """This server."""

    def command(setup: Setup, place: Place) -> list[str]:
        options: list[object] = [
            "--model",
            f"bench={place.model}",
            "--ctx-size",
            setup.context_tokens,
            "--parallel",
            setup.parallel,
        ]
        options += ["--threads", place.threads, "--port", place.port, "--log-level", "warning"]
        options += ["--data-dir", place.directory / "stores"]
        return [sys.executable, "-m", "handlers", "serve", *map(str, options)]

    return Kind(OURS, command, "/ready")


def llama_server(program: Path) -> Kind:
    """llama.cpp's own server, with its defaults where nothing has to be equal."""

    def command(setup: Setup, place: Place) -> list[str]:
        options: list[object] = [
            "-m",
            place.model,
            "-c",
            setup.context_tokens,
            "-np",
            setup.parallel,
            "-t",
            place.threads,
        ]
        options += ["--port", place.port, "--no-webui"]
        return [str(program), *map(str, options), *(["--embedding"] if setup.is_encoder else [])]

    return Kind(LLAMA_SERVER, command, "/health")


def llama_cpp_server(python: Path) -> Kind:
    """The classic server of llama-cpp-python (its extra `server`): one sequence, whatever is asked."""

    def command(setup: Setup, place: Place) -> list[str]:
        options: list[object] = ["--model", place.model, "--n_ctx", setup.context_tokens, "--n_threads", place.threads]
        options += ["--port", place.port, *(["--embedding", True] if setup.is_encoder else [])]
        return [str(python), "-m", "llama_cpp.server", *map(str, options)]

    return Kind("llama_cpp.server", command, "/v1/models", tells_usage=False)


def example_server(python: Path, script: Path) -> Kind:
    """The batched example of llama-cpp-python: `examples/server/server.py`."""

    def command(setup: Setup, place: Place) -> list[str]:
        model = {"path": str(place.model), "alias": "bench", "n_ctx": setup.context_tokens, "n_seq_max": setup.parallel}
        threads = {"threads": place.threads, "threads_batch": place.threads, "kv_unified": True}
        configuration = {"server": {"host": "127.0.0.1", "port": place.port}, "model": {**model, **threads}}
        file = place.directory / "example_server.json"
        file.write_text(json.dumps(configuration), encoding="utf-8")
        return [str(python), str(script), "-C", str(file)]

    return Kind("examples/server.py", command, "/v1/models", tells_usage=False)


@contextmanager
def running(kind: Kind, setup: Setup, *, model: Path, threads: int, directory: Path) -> Iterator[Server]:
    """A ready server, ended afterwards with all its processes. Raises ServerFailed if it does not become ready."""
    place = Place(model, threads, _free_port(), directory)
    log_path = directory / "server.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(kind.command(setup, place), stdout=log, stderr=log, env=_environment())
    server = Server(kind.name, f"http://127.0.0.1:{place.port}", psutil.Process(process.pid))
    try:
        _wait_ready(server.url + kind.ready_path, process, log_path)
        yield server
    finally:
        _stop(process)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("TRUELINE_", "LLAMA_ARG_"))}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_ready(url: str, process: subprocess.Popen[bytes], log_path: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                if response.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass  # not listening, or loading: ask again
        time.sleep(0.1)
    raise ServerFailed(f"the server did not become ready:\n{log_path.read_text('utf-8', errors='replace')[-2000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Politely, then by force; its children too, which a killed parent leaves behind."""
    children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.terminate()
    try:
        process.wait(_STOP_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for child in children:
        if child.is_running():
            child.kill()


def _resident_bytes(process: psutil.Process) -> int:
    memory = process.memory_full_info()
    return int(getattr(memory, "pss", memory.rss))
