"""How answers leave: JSON whole, or chunk by chunk as server-sent events or NDJSON lines, and never to a client that left.

Owns framing, keep-alive comments, the one error event of a stream that fails, write timeouts and cancelling. Must not know
what a chunk means.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from handlers.context import Call
from handlers.errors import ApiError, ClientDisconnected, as_api_error, error_content, is_unforeseen

T = TypeVar("T")
JsonObject = dict[str, Any]
log = logging.getLogger("trueline")

_SSE_HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}
_SSE_PING = b": keep-alive\n\n"
_SSE_DONE = b"data: [DONE]\n\n"


class Closing(Protocol):
    """What a stream draws from. Closing it is idempotent and cancels what is unfinished."""

    async def aclose(self) -> None:
        """Close it."""


class ClientStalled(ClientDisconnected):
    """The client is connected but has not taken a byte for longer than the write timeout."""


def json_response(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`content` as a JSON answer."""
    return Response(orjson.dumps(content), status, headers, media_type="application/json")


def sse_response(
    call: Call[Any], generation: Closing, chunks: AsyncIterator[JsonObject], *, done: bool = True
) -> Response:
    """`chunks` as server-sent events, each one `data:` line, and `[DONE]` at the end (unless `done` is false).

    A chunk source that fails before its first chunk fails the request with an ordinary status; later, the stream ends with
    one `{"error": ...}` event and no `[DONE]`. While there is nothing to send, a comment keeps the connection alive. However
    the stream ends, `generation` is closed.
    """
    return _Stream(call, generation, chunks, _EventFraming(_SSE_DONE if done else b""), _plain_failure(call))


def named_sse_response(
    call: Call[Any],
    generation: Closing,
    events: AsyncIterator[JsonObject],
    failed: Callable[[str, int], JsonObject],
) -> Response:
    """`events` as server-sent events, each under the name that its `type` is, and nothing behind the last.

    Where the source fails after its first event, the last one is what `failed` makes of the failure's message and status. Otherwise as
    `sse_response`.
    """
    return _Stream(call, generation, events, _NamedEventFraming(b""), lambda error: failed(error.message, error.status))


def ndjson_response(call: Call[Any], generation: Closing, chunks: AsyncIterator[JsonObject]) -> Response:
    """`chunks` as lines of JSON. Failing and closing are as in `sse_response`; NDJSON has no keep-alive."""
    return _Stream(call, generation, chunks, _LineFraming(), _plain_failure(call))


def _plain_failure(call: Call[Any]) -> Callable[[ApiError], JsonObject]:
    """A failure as the last chunk of a stream that has no other form for it."""
    return lambda error: error_content(error, call.dialect)


async def whole(call: Call[Any], awaitable: Awaitable[T]) -> T:
    """The result of `awaitable`, which is cancelled when the client leaves first (then ClientDisconnected is raised)."""
    work = asyncio.ensure_future(awaitable)
    watch = asyncio.ensure_future(_disconnection(call.receive))
    try:
        await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
        raise ClientDisconnected
    finally:
        await _end(watch)
        await _end(work)


class _Framing(Protocol):
    """How chunks become bytes. `ping` is None where the format has no room for one."""

    media_type: str
    headers: Mapping[str, str]
    ping: bytes | None
    end: bytes

    def frame(self, chunk: JsonObject) -> bytes: ...


class _EventFraming:
    """Server-sent events (WHATWG HTML, section 9.2)."""

    media_type = "text/event-stream"
    headers: Mapping[str, str] = _SSE_HEADERS
    ping: bytes | None = _SSE_PING

    def __init__(self, end: bytes) -> None:
        self.end = end

    def frame(self, chunk: JsonObject) -> bytes:
        return b"data: " + orjson.dumps(chunk) + b"\n\n"


class _NamedEventFraming(_EventFraming):
    """The same with names."""

    def frame(self, chunk: JsonObject) -> bytes:
        return b"event: %b\ndata: %b\n\n" % (chunk["type"].encode(), orjson.dumps(chunk))


class _LineFraming:
    """Newline-delimited JSON."""

    media_type = "application/x-ndjson"
    headers: Mapping[str, str] = {}
    ping: bytes | None = None
    end = b""

    def frame(self, chunk: JsonObject) -> bytes:
        return orjson.dumps(chunk, option=orjson.OPT_APPEND_NEWLINE)


class _Stream(Response):
    """An answer whose status is decided by its first chunk, and which ends early when the client leaves."""

    def __init__(
        self,
        call: Call[Any],
        generation: Closing,
        chunks: AsyncIterator[JsonObject],
        framing: _Framing,
        failed: Callable[[ApiError], JsonObject],
    ) -> None:
        self.status_code = 200
        self.background = None
        self.media_type = framing.media_type
        self.init_headers(framing.headers)
        self._call = call
        self._generation = generation
        self._chunks = chunks
        self._framing = framing
        self._failed = failed

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """As Starlette's, but a stream has no length to announce."""
        self.raw_headers = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        self.raw_headers.append((b"content-type", (self.media_type or "").encode()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        out = _Writer(send, self.raw_headers)
        tasks = [asyncio.ensure_future(each) for each in (self._pump(out), _disconnection(receive), self._watch(out))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            _outcome(tasks)
        finally:
            for task in tasks:
                await _end(task)
            await self._close()

    async def _pump(self, out: _Writer) -> None:
        """Every chunk, then the end; or, once the answer has begun, the failure as the last chunk."""
        try:
            async for chunk in self._chunks:
                await out.write(self._framing.frame(chunk))
        except ClientDisconnected:
            raise
        except Exception as error:
            if not out.begun:
                raise
            await out.finish(self._framing.frame(self._failure(error)))
        else:
            await out.finish(self._framing.end)

    def _failure(self, error: Exception) -> JsonObject:
        record = self._call.record
        if is_unforeseen(error):
            log.error("request %s failed within its stream", record.id, exc_info=error)
        answer = as_api_error(error, record.id)
        record.failure = answer.message
        return self._failed(answer)

    async def _watch(self, out: _Writer) -> None:
        """Send a ping, where the format has one, whenever nothing was sent for the configured time; give a client up that takes nothing.

        One task looks now and then, because a timer for each write costs more than the write. Ends only by being cancelled or by failing.
        """
        timeout_seconds, ping = self._call.config.write_timeout_seconds, self._framing.ping
        pause_seconds = timeout_seconds if ping is None else self._call.config.sse_keep_alive_seconds
        longest_seconds = min(timeout_seconds, pause_seconds)
        while True:
            due_seconds = out.last_at + (timeout_seconds if out.is_writing else pause_seconds) - out.now()
            await asyncio.sleep(min(due_seconds, longest_seconds) if due_seconds > 0 else longest_seconds)
            silent_seconds = out.now() - out.last_at
            if out.is_writing and silent_seconds >= timeout_seconds:
                raise _stalled(timeout_seconds)
            if ping is not None and not out.is_writing and silent_seconds >= pause_seconds:
                await _within(timeout_seconds, out.write(ping))

    async def _close(self) -> None:
        try:
            if isinstance(self._chunks, AsyncGenerator):
                await self._chunks.aclose()
        finally:
            await self._generation.aclose()


class _Writer:
    """One answer on its way out: the head goes with the first bytes.

    `is_writing`: a write waits for the client to take what it was sent; `last_at`: when the last write began.
    """

    def __init__(self, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        self._send = send
        self._headers = headers
        self._finished = False
        self.now = asyncio.get_running_loop().time
        self.begun = False
        self.is_writing = False
        self.last_at = self.now()

    async def write(self, frame: bytes) -> None:
        """Send a frame, after the head if it is the first."""
        await self._put(frame, more=True)

    async def finish(self, frame: bytes) -> None:
        """Send the last bytes. Nothing may follow."""
        await self._put(frame, more=False)

    async def _put(self, frame: bytes, *, more: bool) -> None:
        if self._finished:
            return
        self._finished = not more
        self.is_writing, self.last_at = True, self.now()
        try:
            if not self.begun:
                await self._send({"type": "http.response.start", "status": 200, "headers": self._headers})
            await self._send({"type": "http.response.body", "body": frame, "more_body": more})
        finally:
            self.is_writing = False
        self.begun = True


async def _within(timeout_seconds: float, writing: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(
            timeout_seconds
        ):  # `wait_for` may swallow a cancellation, and who waits for its end then waits for ever
            await writing
    except TimeoutError as error:
        raise _stalled(timeout_seconds) from error


def _stalled(timeout_seconds: float) -> ClientStalled:
    return ClientStalled(f"the client took nothing for {timeout_seconds:g} s")


async def _disconnection(receive: Receive) -> None:
    """Returns when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _outcome(tasks: Sequence[asyncio.Future[None]]) -> None:
    """Raise what ended a stream: its own failure, or the client's leaving. `tasks`: the pump, the watch, the keep-alive."""
    for task in (tasks[0], *tasks[2:]):
        if task.done():
            task.result()
            return
    raise ClientDisconnected


async def _end(task: asyncio.Future[Any]) -> None:
    """Cancel `task` if it runs, and wait until it is over."""
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.exception()
