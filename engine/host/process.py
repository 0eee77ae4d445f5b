"""One worker's operating-system process: how it is started, what it says, and how it ended.

Owns the process and its output. Must not know the protocol that it speaks.
"""

import asyncio
import logging
import os
import signal
import site
import socket
import sys
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Self

logger = logging.getLogger(__name__)

# -P: no module of the current directory may stand in for the engine's. faulthandler: a native crash leaves a trace.
WORKER_COMMAND = (sys.executable, "-P", "-X", "faulthandler", "-m", "engine.worker")

_LAST_LINES = 20
_MAX_LINE_BYTES = 2000
_OUTPUT_END_SECONDS = 0.5


class WorkerProcess:
    """A started worker. Its output goes to the log, line by line, at debug level; `last_lines` keeps the end of it."""

    def __init__(self, label: str, process: asyncio.subprocess.Process) -> None:
        self.last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._label = label
        self._process = process
        self._output = asyncio.create_task(self._read_output(), name=f"output of {label}")

    @classmethod
    async def start(cls, label: str, command: tuple[str, ...]) -> tuple[Self, socket.socket]:
        """Start `command` with the number of its socket as last argument; the other end of that socket is the caller's.

        A session of its own keeps Ctrl-C at the terminal from ending workers before their streams.
        """
        ours, theirs = socket.socketpair()
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                str(theirs.fileno()),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                env=engine_environment(),
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        ours.setblocking(False)
        return cls(label, process), ours

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def kill(self) -> None:
        """End it at once, if it still runs."""
        with suppress(ProcessLookupError):
            self._process.kill()

    async def wait(self, grace_seconds: float) -> str:
        """How it ended, in words; killed if it has not after `grace_seconds`."""
        try:
            async with asyncio.timeout(grace_seconds):
                code = await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()
            code = None
        await asyncio.wait({self._output}, timeout=_OUTPUT_END_SECONDS)
        self._output.cancel()
        return describe_end(code)

    async def _read_output(self) -> None:
        assert self._process.stdout is not None
        pending = b""
        while block := await self._process.stdout.read(1 << 16):
            *lines, pending = (pending + block).split(b"\n")
            for line in lines:
                self._say(line)
            if len(pending) > _MAX_LINE_BYTES:
                self._say(pending)
                pending = b""
        if pending:
            self._say(pending)

    def _say(self, line: bytes) -> None:
        text = line[:_MAX_LINE_BYTES].decode("utf-8", "backslashreplace").rstrip()
        self.last_lines.append(text)
        logger.debug("%s: %s", self._label, text)


def describe_end(code: int | None) -> str:
    """What an exit code says; None: it had to be killed because it did not end by itself."""
    if code is None:
        return "closed its connection and did not end"
    if code >= 0:
        return "ended by itself" if code == 0 else f"exited with code {code}"
    names = {number.value: number.name for number in signal.Signals}
    return f"was killed by signal {-code} ({names.get(-code, 'unknown')})"


def engine_environment() -> dict[str, str]:
    """The server's environment, in which the engine can be imported also where it is not installed.

    llama.cpp's threads meet at a barrier hundreds of times a token. Sleeping there costs a third of the speed of a small model on an
    idle machine; spinning long there makes it crawl on a busy one. A short spin loses little of either, measured with two threads: 680
    of 720 tokens/s idle and 320 of 410 beside two busy processes. The user's own settings of the thread library win.
    """
    environment = {"GOMP_SPINCOUNT": "2000", **os.environ}
    root = Path(__file__).resolve().parents[2]
    if str(root) in site.getsitepackages():
        return environment
    path = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
    return {**environment, "PYTHONPATH": path}
