"""HTTP/1.1 as thin as it gets: one request after the other on a connection, and the moment at which each part of an answer came.

Owns sockets and framing. Must not know what requests ask for. It shares the processor with the servers that it measures, so a parser in
C does the work, and parts of bodies are kept as they are.
"""

import asyncio
import time
from typing import cast

import httptools


class ConnectionFailed(Exception):
    """The connection broke before the answer was complete; `is_stale` if it was an old one that never began to answer."""

    def __init__(self, reason: str, *, is_stale: bool = False) -> None:
        super().__init__(reason)
        self.is_stale = is_stale


class Connection(asyncio.Protocol):
    """One connection; `exchange` may be called again when its last answer is complete and `is_reusable`."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._complete: asyncio.Future[None] | None = None
        self._arrivals: list[tuple[float, bytes]] = []
        self._exchanges = 0
        self._moment = 0.0
        self.status = 0
        self.is_reusable = True

    async def exchange(self, request: bytes, arrivals: list[tuple[float, bytes]]) -> None:
        """Sends a request; the parts of the answer's body are appended to `arrivals` as they come. Returns when it is complete."""
        assert self._transport is not None
        if self._transport.is_closing():
            raise ConnectionFailed("closed", is_stale=True)
        self._exchanges += 1
        self.status = 0
        self._arrivals = arrivals
        self._parser = httptools.HttpResponseParser(self)
        self._complete = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            await self._complete
        except asyncio.CancelledError:
            self.close()
            raise

    def close(self) -> None:
        """Hang up, also in the middle of an answer."""
        self.is_reusable = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Some of the answer."""
        self._moment = time.perf_counter()
        if self._parser is None:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(ConnectionFailed(f"no HTTP: {error}"))
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The server, or `close`, ended the connection."""
        self.is_reusable = False
        is_stale = self._exchanges > 1 and self.status == 0
        self._fail(ConnectionFailed(f"the server hung up{f': {exc}' if exc else ''}", is_stale=is_stale))

    def on_headers_complete(self) -> None:
        """The parser read the head of the answer."""
        assert self._parser is not None
        self.status = self._parser.get_status_code()
        self.is_reusable = self._parser.should_keep_alive()

    def on_body(self, body: bytes) -> None:
        """The parser read a part of the body."""
        self._arrivals.append((self._moment, body))

    def on_message_complete(self) -> None:
        """The parser read the end of the answer."""
        if self._complete is not None and not self._complete.done():
            self._complete.set_result(None)

    def _fail(self, failure: ConnectionFailed) -> None:
        if self._complete is not None and not self._complete.done():
            self._complete.set_exception(failure)
