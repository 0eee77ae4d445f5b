"""The load generator's client measures what arrives, and survives servers that hang up after an answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import orjson
import pytest

from tools.bench.client import Client
from tools.bench.record import Record

USAGE = {"prompt_tokens": 5, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 2}}
BODY = {"model": "m", "messages": [], "stream": True}


def event(**fields: object) -> bytes:
    return b"data: " + orjson.dumps({"choices": [], **fields}) + b"\n\n"


def piece(**delta: object) -> bytes:
    return event(choices=[{"index": 0, "delta": delta}])


STREAM = b"".join(
    [piece(role="assistant", content=""), b": comment\n\n", piece(content="a"), piece(content="b"), event(usage=USAGE)]
)


@asynccontextmanager
async def server(answer: bytes, *, status: str = "200 OK") -> AsyncIterator[tuple[str, list[bytes]]]:
    """Gives every request the same answer and then closes the connection without having said that it would."""
    received: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        received.append(head + await reader.readexactly(length))
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(answer)}\r\n\r\n".encode() + answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1", received


async def chat(client: Client, body: dict[str, object] = BODY) -> Record:
    record = await client.chat(body)
    record.finish()
    return record


async def test_pieces_with_content_and_the_servers_own_counts_are_recorded() -> None:
    async with server(STREAM + b"data: [DONE]\n\n") as (url, _), Client(url) as client:
        record = await chat(client)
    assert record.error is None
    assert len(record.piece_times) == 2
    assert (record.prompt_tokens, record.completion_tokens, record.cached_tokens) == (5, 3, 2)
    assert record.text == "ab"
    assert record.started <= record.piece_times[0] <= record.piece_times[1] <= record.ended


async def test_an_answer_that_is_not_streamed_is_one_piece() -> None:
    async with server(orjson.dumps({"usage": USAGE})) as (url, _), Client(url) as client:
        record = await chat(client, {**BODY, "stream": False})
    assert (record.error, record.completion_tokens, len(record.piece_times)) == (None, 3, 1)


async def test_connections_that_the_server_closed_are_replaced() -> None:
    async with server(STREAM) as (url, received), Client(url, api_key="key") as client:
        records = [await chat(client) for _ in range(5)]
    assert [record.error for record in records] == [None] * 5
    assert len(received) == 5
    assert b"Bearer key" in received[0]


async def test_an_error_status_is_an_error_with_its_text() -> None:
    async with server(b"too busy", status="429 Too Many Requests") as (url, _), Client(url) as client:
        record = await chat(client)
    assert record.error == "HTTP 429: too busy"


async def test_an_error_event_and_a_stream_without_usage_are_errors() -> None:
    async with server(piece(content="a") + event(error={"message": "worker died"})) as (url, _), Client(url) as client:
        assert "worker died" in str((await chat(client)).error)
    async with server(piece(content="a")) as (url, _), Client(url) as client:
        assert (await chat(client)).error == "the stream ended without usage"


async def test_a_server_that_is_not_there_is_an_error() -> None:
    async with server(STREAM) as (url, _):
        pass
    async with Client(url) as client:
        assert "Connect" in str((await chat(client)).error)


@pytest.mark.parametrize("cut", range(1, len(STREAM), 7))
def test_events_may_be_cut_anywhere(cut: int) -> None:
    record = Record(0.0, arrivals=[(1.0, STREAM[:cut])])
    record.read()
    record.arrivals.append((2.0, STREAM[cut:]))
    record.finish()
    assert (record.error, record.text, len(record.piece_times)) == (None, "ab", 2)


async def test_a_cancelled_request_hangs_up() -> None:
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        with suppress(ConnectionError):
            while await reader.read(1000):
                pass
        gone.set()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening, Client(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}") as client:
        task = asyncio.create_task(client.chat(BODY))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.wait_for(gone.wait(), 5)


async def test_where_a_server_tells_no_usage_pieces_can_count_as_tokens() -> None:
    async with server(piece(content="a") + piece(content="b")) as (url, _), Client(url, counts_pieces=True) as client:
        record = await chat(client)
    assert (record.error, record.completion_tokens) == (None, 2)
