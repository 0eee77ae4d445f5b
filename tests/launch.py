"""The real server as a child process, for tests that talk to it as its users do.

Owns starting it on a free port, waiting until it is ready, and ending it. Must not know any operation beyond /ready.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

DEMO_MODEL = "trueline-demo"
READY_TIMEOUT_SECONDS = 60
STOP_TIMEOUT_SECONDS = 15


def free_port() -> int:
    """A TCP port on which nobody listened a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(**settings: str) -> dict[str, str]:
    """This process's environment without what would configure the server or a client, plus `settings`."""
    foreign = ("TRUELINE_", "OPENAI_", "OLLAMA_", "LANGCHAIN_", "LANGSMITH_")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)} | settings


def command(*arguments: str) -> list[str]:
    """The command line of `trueline ARGUMENTS`, run by this interpreter."""
    return [sys.executable, "-m", "handlers", *arguments]


@dataclass(frozen=True)
class Server:
    """A running server: its address, its process, and the file that its output goes to."""

    port: int
    process: subprocess.Popen[bytes]
    log_path: Path

    @property
    def url(self) -> str:
        """The address without a path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """All that it printed so far."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def workers(self) -> list[psutil.Process]:
        """Its worker processes, one for each loaded model."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if "engine.worker" in " ".join(child.cmdline())]

    def wait_ready(self) -> None:
        """Return when /ready answers 200; fail with its output when it exits or takes too long."""
        deadline = time.monotonic() + READY_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the server exited with {self.process.returncode}:\n{self.log}")
            try:
                if httpx.get(f"{self.url}/ready").status_code == 200:
                    return
            except httpx.TransportError:
                pass  # not listening yet
            time.sleep(0.05)
        raise AssertionError(f"the server was not ready after {READY_TIMEOUT_SECONDS} s:\n{self.log}")

    def interrupt(self) -> int:
        """What Ctrl-C does; the exit code. Fails when it does not end in time."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_TIMEOUT_SECONDS)


def start(log_path: Path, *arguments: str, port: int | None = None, **settings: str) -> Server:
    """Start `trueline serve ARGUMENTS` with `settings` in its environment, and do not wait for it."""
    port = port or free_port()
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            command("serve", "--port", str(port), *arguments),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment(**settings),
        )
    return Server(port=port, process=process, log_path=log_path)


@contextmanager
def serving(directory: Path, *arguments: str, **settings: str) -> Iterator[Server]:
    """A ready server that validates its own responses, ended afterwards; its log must hold no traceback then."""
    # One thread: the bundled model is too small to gain from more, and answers do not slow down where tests share processors.
    fixed: Sequence[str] = ("--validate-responses", "--threads", "1", "--data-dir", str(directory / "data"))
    server = start(directory / "server.log", *fixed, *arguments, **settings)
    try:
        server.wait_ready()
        yield server
        if server.process.poll() is None:
            assert server.interrupt() == 0, server.log
        assert "Traceback" not in server.log, server.log
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()
