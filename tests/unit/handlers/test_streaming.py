"""Streams and their clients: those that leave, those that never read, and what each of them gets."""

import asyncio
import json
from types import SimpleNamespace

import pytest

from engine import EngineError
from handlers.context import Call, RequestRecord
from handlers.errors import ClientDisconnected
from handlers.streaming import ClientStalled, named_sse_response, ndjson_response, sse_response, whole


class Client:
    """The far end of one response: keeps what it gets, and leaves when told to. `reads` false: it takes nothing at all."""

    def __init__(self, *, reads=True):
        self.messages = []
        self.left = asyncio.Event()
        self._reads = reads

    async def receive(self):
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        if not self._reads and message["type"] == "http.response.body":
            await asyncio.Event().wait()
        self.messages.append(message)

    @property
    def body(self):
        return b"".join(message.get("body", b"") for message in self.messages)


class Generation:
    """Counts how often it is closed."""

    def __init__(self):
        self.closed = 0

    async def aclose(self):
        self.closed += 1


def call_of(client, path="/v1/x", **settings):
    config = SimpleNamespace(**({"write_timeout_seconds": 5, "sse_keep_alive_seconds": 5} | settings))
    return Call(
        body=None,
        path={},
        query={},
        engine=None,
        config=config,
        record=RequestRecord("id", "POST", path),
        receive=client.receive,
    )


async def deliver(response, client):
    await asyncio.wait_for(response({"type": "http"}, client.receive, client.send), 2)


async def chunks_of(*items):
    """Chunks; an exception among them is raised, and None is a silence without end."""
    for item in items:
        if item is None:
            await asyncio.Event().wait()
        if isinstance(item, Exception):
            raise item
        yield item


async def test_each_chunk_is_sent_as_it_comes_and_the_head_with_the_first():
    client = Client()
    await deliver(sse_response(call_of(client), Generation(), chunks_of({"a": 1}, {"b": 2})), client)
    assert [message.get("body") for message in client.messages] == [
        None,
        b'data: {"a":1}\n\n',
        b'data: {"b":2}\n\n',
        b"data: [DONE]\n\n",
    ]


async def test_an_error_before_the_first_chunk_is_raised_and_nothing_is_sent():
    client, generation = Client(), Generation()
    with pytest.raises(EngineError):
        await deliver(sse_response(call_of(client), generation, chunks_of(EngineError("overloaded", "full"))), client)
    assert client.messages == []
    assert generation.closed


@pytest.mark.parametrize(
    ("respond", "path", "last"),
    [
        (
            sse_response,
            "/v1/x",
            {"error": {"message": "full", "type": "server_error", "param": None, "code": "overloaded"}},
        ),
        (ndjson_response, "/api/x", {"error": "full"}),
    ],
)
async def test_a_later_error_is_the_last_chunk_in_the_shape_of_the_api(respond, path, last):
    client = Client()
    chunks = chunks_of({"a": 1}, EngineError("overloaded", "full"))
    await deliver(respond(call_of(client, path), Generation(), chunks), client)
    assert json.loads(client.messages[-1]["body"].removeprefix(b"data: ")) == last
    assert client.messages[-1]["more_body"] is False


async def test_events_with_names_end_with_what_the_dialect_makes_of_a_failure():
    client = Client()
    events = chunks_of({"type": "begun"}, EngineError("overloaded", "full"))

    def failed(message, status):
        return {"type": "failed", "message": message, "status": status}

    await deliver(named_sse_response(call_of(client), Generation(), events, failed), client)
    assert client.body == (
        b'event: begun\ndata: {"type":"begun"}\n\nevent: failed\ndata: {"type":"failed","message":"full","status":503}\n\n'
    )


async def test_a_client_that_leaves_closes_the_generation():
    client, generation = Client(), Generation()
    delivery = asyncio.create_task(
        deliver(sse_response(call_of(client), generation, chunks_of({"a": 1}, None)), client)
    )
    while not client.messages:
        await asyncio.sleep(0)
    client.left.set()
    with pytest.raises(ClientDisconnected):
        await delivery
    assert generation.closed


async def test_a_client_that_leaves_before_the_first_chunk_closes_the_generation():
    client, generation = Client(), Generation()
    client.left.set()
    with pytest.raises(ClientDisconnected):
        await deliver(sse_response(call_of(client), generation, chunks_of(None)), client)
    assert generation.closed
    assert client.messages == []


async def test_a_client_that_never_reads_is_given_up():
    client, generation = Client(reads=False), Generation()
    endless = ({"n": n} for n in iter(int, 1))

    async def chunks():
        for chunk in endless:
            yield chunk

    with pytest.raises(ClientStalled):
        await deliver(sse_response(call_of(client, write_timeout_seconds=0.05), generation, chunks()), client)
    assert generation.closed


async def test_silence_is_broken_by_comments_even_before_the_first_chunk():
    client = Client()

    async def chunks():
        await asyncio.sleep(0.2)
        yield {"a": 1}

    await deliver(sse_response(call_of(client, sse_keep_alive_seconds=0.05), Generation(), chunks()), client)
    comments = client.body.count(b": keep-alive\n\n")
    assert 2 <= comments <= 4
    assert client.body.endswith(b'data: {"a":1}\n\ndata: [DONE]\n\n')


async def test_lines_have_no_comments():
    client = Client()

    async def chunks():
        await asyncio.sleep(0.1)
        yield {"a": 1}

    await deliver(ndjson_response(call_of(client, sse_keep_alive_seconds=0.01), Generation(), chunks()), client)
    assert client.body == b'{"a":1}\n'


async def test_an_error_after_a_comment_is_an_event():
    client = Client()

    async def chunks():
        await asyncio.sleep(0.1)
        raise EngineError("worker_died", "it died")
        yield {}

    await deliver(sse_response(call_of(client, sse_keep_alive_seconds=0.03), Generation(), chunks()), client)
    assert b'"worker_died"' in client.body
    assert b"[DONE]" not in client.body


class TestWhole:
    async def test_the_result_comes_through(self):
        assert await whole(call_of(Client()), asyncio.sleep(0, "result")) == "result"

    async def test_a_failure_comes_through(self):
        async def fail():
            raise EngineError("internal", "x")

        with pytest.raises(EngineError):
            await whole(call_of(Client()), fail())

    async def test_a_client_that_leaves_cancels_the_work(self):
        client, cancelled = Client(), asyncio.Event()

        async def work():
            try:
                client.left.set()
                await asyncio.Event().wait()
            finally:
                cancelled.set()

        with pytest.raises(ClientDisconnected):
            await asyncio.wait_for(whole(call_of(client), work()), 2)
        assert cancelled.is_set()

    async def test_work_that_is_done_when_the_client_leaves_is_done(self):
        client = Client()
        client.left.set()
        assert await whole(call_of(client), _immediately("result")) == "result"


async def _immediately(value):
    return value


class SlowClient(Client):
    """Takes a ping only when it is told to."""

    def __init__(self):
        super().__init__()
        self.is_pinged, self.takes = asyncio.Event(), asyncio.Event()

    async def send(self, message):
        if message.get("body", b"").startswith(b":"):
            self.is_pinged.set()
            await self.takes.wait()
        self.messages.append(message)


@pytest.mark.parametrize("turns", range(-6, 7))
async def test_a_client_that_leaves_just_as_it_takes_a_ping_ends_its_stream(turns):
    """However many turns of the event loop lie between the two."""
    client, generation = SlowClient(), Generation()
    response = sse_response(call_of(client, sse_keep_alive_seconds=0.01), generation, chunks_of(None))
    delivery = asyncio.create_task(deliver(response, client))
    await client.is_pinged.wait()
    first, second = (client.takes, client.left) if turns >= 0 else (client.left, client.takes)
    first.set()
    for _ in range(abs(turns)):
        await asyncio.sleep(0)
    second.set()
    with pytest.raises(ClientDisconnected):
        await delivery
    assert generation.closed
