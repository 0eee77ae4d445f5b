"""`python -m tools.bench.http_layer`: what the HTTP layer costs beside bare Starlette and FastAPI.

Owns the measurement: each server is a process of its own, loaded by as little client as HTTP allows. What is compared is requests per
second of the server's own processor time, which neither the client nor other programs on the machine can falsify.
"""

import argparse
import asyncio
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import psutil
import uvloop

from tools.bench_model.tensor import Shape
from tools.make_bench_model import write_model

SERVERS = ("starlette", "trueline", "fastapi")
MODEL = "scripted"
CONNECTIONS = 16
TARGET_RATIO = 0.7

_START_TIMEOUT_SECONDS = 30
_ANSWER_TIMEOUT_SECONDS = 30
_SMALLEST_MODEL = Shape("qwen2", 1, 32, 1, 1, 32, 300, "F16")


def chat_body() -> bytes:
    """A conversation of 20 messages as clients send them: text, content parts, a call and its result."""
    call = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"word": "gorse"}'}}
    messages: list[dict[str, object]] = [{"role": "system", "content": "You answer briefly and name your sources."}]
    for number in range(8):
        question = f"Question {number}: what grows on the heath in month {number + 1}?"
        parts = [{"type": "text", "text": question}, {"type": "text", "text": "Answer in one sentence."}]
        messages.append({"role": "user", "content": parts if number % 2 else question})
        messages.append(
            {"role": "assistant", "content": f"In month {number + 1} heather and gorse grow there, and some broom."}
        )
    messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
    messages.append({"role": "tool", "tool_call_id": "call_1", "content": "A spiny shrub with yellow flowers."})
    messages.append({"role": "user", "content": "Thank you. And the last one?"})
    settings = {"temperature": 0.7, "top_p": 0.9, "max_tokens": 200, "stop": ["\n\n"], "seed": 7, "stream": False}
    return json.dumps({"model": MODEL, "messages": messages, **settings}).encode()


def _request(method: str, path: str, body: bytes = b"") -> bytes:
    headers = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"
    if body:
        headers += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return headers.encode() + b"\r\n" + body


REQUESTS = {
    "GET /v1/models": _request("GET", "/v1/models"),
    "POST /v1/chat/completions": _request("POST", "/v1/chat/completions", chat_body()),
}


class Connection(asyncio.Protocol):
    """Sends the same request again as soon as the last answer is complete; answers have a Content-Length."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self.answered = 0
        self.failure: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Count the answer once it is whole, and go on."""
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        if not separator or len(body) < _content_length(head):
            return
        if not head.startswith(b"HTTP/1.1 200"):
            self.failure = self._buffer.decode(errors="replace")[:500]
            return
        self._buffer = b""
        self.answered += 1
        assert self._transport is not None
        self._transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        """A server that hangs up has failed, unless the measurement is over."""
        if exc is not None:
            self.failure = str(exc)

    def close(self) -> None:
        """End."""
        if self._transport is not None:
            self._transport.close()


def _content_length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])


@dataclass(frozen=True)
class Rate:
    """Requests answered per second of wall time, and per second of the server's processor time."""

    wall: float
    processor: float


async def measure(port: int, request: bytes, server: psutil.Process, seconds: float) -> Rate:
    """One measurement; it goes on until something is answered. Raises RuntimeError with any answer that is no 200."""
    loop = asyncio.get_running_loop()
    connections = [
        (await loop.create_connection(lambda: Connection(request), "127.0.0.1", port))[1] for _ in range(CONNECTIONS)
    ]
    await asyncio.sleep(seconds / 5)
    before, processor_before, start = _answered(connections), _processor_seconds(server), time.perf_counter()
    answered, processor, wall = 0, 0.0, 0.0
    while not (answered and processor) and wall < _ANSWER_TIMEOUT_SECONDS:
        await asyncio.sleep(seconds)
        answered, processor = _answered(connections) - before, _processor_seconds(server) - processor_before
        wall = time.perf_counter() - start
    for connection in connections:
        connection.close()
    failures = [connection.failure for connection in connections if connection.failure]
    if failures or not (answered and processor):
        raise RuntimeError(failures[0] if failures else "the server does not answer")
    return Rate(answered / wall, answered / processor)


def _answered(connections: Sequence[Connection]) -> int:
    return sum(connection.answered for connection in connections)


def _processor_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@contextmanager
def served(name: str, models_dir: Path) -> Iterator[tuple[int, psutil.Process]]:
    """One of the servers: its port and process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "tools.bench.http_apps", name, str(models_dir), str(port)]
    with subprocess.Popen(command) as process:
        try:
            _wait_for(port, process)
            yield port, psutil.Process(process.pid)
        finally:
            process.terminate()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the server did not start")


def run(rounds: int, seconds: float) -> dict[str, dict[str, Rate]]:
    """The median rates of every server for every request; the servers take turns."""
    rates: dict[tuple[str, str], list[Rate]] = {}
    with ExitStack() as stack, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        models_dir = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        write_model(models_dir / f"{MODEL}.gguf", _SMALLEST_MODEL, name=MODEL)
        servers = {name: stack.enter_context(served(name, models_dir)) for name in SERVERS}
        for _ in range(rounds):
            for title, request in REQUESTS.items():
                for name, (port, process) in servers.items():
                    rates.setdefault((title, name), []).append(runner.run(measure(port, request, process, seconds)))
    return {title: {name: _median(rates[title, name]) for name in SERVERS} for title in REQUESTS}


def _median(rates: Sequence[Rate]) -> Rate:
    return Rate(statistics.median(rate.wall for rate in rates), statistics.median(rate.processor for rate in rates))


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; 1 if Trueline misses its target."""
    parser = argparse.ArgumentParser(prog="tools.bench.http_layer", description="Compare HTTP layers.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    arguments = parser.parse_args(argv)
    reached = True
    for title, rates in run(arguments.rounds, arguments.seconds).items():
        print(f"{title:28} {'per second of CPU':>18} {'of wall':>10} {'/ starlette':>12}")
        for name, rate in rates.items():
            print(
                f"  {name:26} {rate.processor:18,.0f} {rate.wall:10,.0f} {rate.processor / rates['starlette'].processor:12.2f}"
            )
        ours = rates["trueline"].processor
        reached &= ours >= TARGET_RATIO * rates["starlette"].processor and ours > rates["fastapi"].processor
    print(f"at least {TARGET_RATIO} of Starlette, and above FastAPI: {'yes' if reached else 'no'}")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
