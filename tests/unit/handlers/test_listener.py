"""The listening server on a real socket: heads that are endless or never end, stalled clients, and an orderly end."""

import asyncio
import socket
from contextlib import asynccontextmanager

import httpx
import pytest

from engine import EngineError, Generation, TextDelta
from handlers import listener as listening
from handlers.listener import Listener, PortUnavailable, bound_socket
from tests.unit.handlers.scripted_engine import ScriptedEngine, Source, application, chat


@asynccontextmanager
async def serving(app, end_requests=None):
    """The port on which `app` is served, and the server."""

    async def nothing():
        pass

    sock = bound_socket("127.0.0.1", 0)
    started = asyncio.Event()
    server = Listener(app, shutdown_timeout_seconds=2, started=started.set, end_requests=end_requests or nothing)
    task = asyncio.create_task(server.serve([sock]))
    await started.wait()
    try:
        yield sock.getsockname()[1], server
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, 5)


async def exchange(port, data, *, wait_seconds=2):
    """Everything that comes back for `data` until the server closes the connection; nothing where it cuts it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    try:
        return await asyncio.wait_for(reader.read(), wait_seconds)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_a_request_is_answered_and_uvicorn_does_not_name_itself():
    async with serving(application()) as (port, _), httpx.AsyncClient() as http:
        response = await http.get(f"http://127.0.0.1:{port}/health")
    assert response.status_code == 200
    assert "server" not in response.headers


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000, id="endless header"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", id="long header"),
        pytest.param(b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", id="long path"),
        pytest.param(b"not http at all\r\n\r\n", id="not HTTP"),
    ],
)
async def test_a_head_that_is_none_or_too_large_is_400_or_cut(data):
    async with serving(application()) as (port, _):
        answer = await exchange(port, data)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("data", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
async def test_a_head_that_never_ends_is_not_waited_for(data, monkeypatch):
    monkeypatch.setattr(listening, "_HEAD_TIMEOUT_SECONDS", 0.05)
    async with serving(application()) as (port, _):
        assert (await exchange(port, data)).startswith(b"HTTP/1.1 400 ")


async def test_a_large_body_that_comes_with_its_head_is_no_large_head():
    body = b" " * 100_000 + b"{}"
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(
        body
    )
    async with serving(application()) as (port, _):
        assert b"missing_required_parameter" in await exchange(port, head + body)


async def test_a_body_that_never_ends_is_408_and_the_end():
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
    async with serving(application(body_timeout_seconds=0.05)) as (port, _):
        assert (await exchange(port, head)).startswith(b"HTTP/1.1 408 ")


async def test_a_refused_large_body_still_gets_its_answer():
    async with serving(application(max_body_bytes=1024)) as (port, _), httpx.AsyncClient() as http:
        response = await http.post(f"http://127.0.0.1:{port}/v1/chat/completions", content=b" " * 5_000_000)
    assert response.status_code == 413


async def test_a_client_that_never_reads_is_cut_off_and_its_generation_closed():
    class Endless(Source):
        async def next_event(self):
            await asyncio.sleep(0)
            return TextDelta(index=0, text="x" * 1000)

    engine = ScriptedEngine()
    engine.generate = _generating(engine, Endless)
    body = httpx.Request("POST", "http://x", json=chat(stream=True)).content
    head = (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    )
    app = application(engine, write_timeout_seconds=0.2, validate_responses=False)
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        async with serving(app) as (port, server):
            deaf.connect(("127.0.0.1", port))
            deaf.sendall(head % len(body) + body)
            while not engine.sources:
                await asyncio.sleep(0.01)
            await asyncio.wait_for(engine.sources[0].closed.wait(), 5)
            await asyncio.sleep(0.05)
            assert server.server_state.connections == set()


async def test_when_the_server_ends_open_streams_get_one_error_and_their_end():
    class Interrupted(Source):
        async def next_event(self):
            if self._script:
                return self._script.pop(0)
            await self.closed.wait()
            raise EngineError("shutting_down", "the server is shutting down")

    engine = ScriptedEngine([TextDelta(index=0, text="Hello")])
    engine.generate = _generating(engine, Interrupted)

    async def end_requests():
        for source in engine.sources:
            source.closed.set()

    async with (
        serving(application(engine), end_requests) as (port, server),
        httpx.AsyncClient() as http,
        http.stream("POST", f"http://127.0.0.1:{port}/v1/chat/completions", json=chat(stream=True)) as answer,
    ):
        lines = answer.aiter_lines()
        await anext(lines)
        server.handle_exit(15, None)
        rest = [line async for line in lines if line]
    assert sum("shutting_down" in line for line in rest) == 1
    assert "shutting_down" in rest[-1]


def test_an_address_in_use_is_named():
    with bound_socket("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortUnavailable, match=f"{port}.*in use"):
            bound_socket("127.0.0.1", port)


def test_a_name_that_does_not_exist_is_named():
    with pytest.raises(PortUnavailable, match=r"nowhere\.invalid"):
        bound_socket("nowhere.invalid", 0)


def _generating(engine, source_class):
    """`engine.generate`, with events from sources of another class."""

    async def generate(request):
        engine.sources.append(source_class(engine._script))
        return Generation(engine.sources[-1], prompt_tokens=3, load_ns=0)

    return generate
