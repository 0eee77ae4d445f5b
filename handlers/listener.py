"""The listening server: socket, HTTP connections and signals, from start to a clean end. Built on uvicorn.

Owns what uvicorn leaves open: heads of requests that are endless or never end, connections whose client takes nothing, and an end
in which open streams get their error event. Must not know what is served.
"""

from __future__ import annotations

import asyncio
import math
import signal
import socket
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from handlers.access import ABORT
from handlers.config import ConfigError

_MAX_HEAD_BYTES = 64 * 1024
_HEAD_TIMEOUT_SECONDS = 30.0
_IDLE_TIMEOUT_SECONDS = 30
_BACKLOG = 1024


class PortUnavailable(ConfigError):
    """The address cannot be listened on."""


def bound_socket(host: str, port: int) -> socket.socket:
    """A socket bound to the address. Raises PortUnavailable."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise PortUnavailable(f"cannot listen on {host}: {error.strerror}") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        reason = (error.strerror or str(error)).lower()
        raise PortUnavailable(f"cannot listen on {host} port {port}: {reason}") from None
    return listening


class Connection(HttpToolsProtocol):
    """One client's connection. A request's head must be of sane size and arrive in time, and the connection can be cut."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect the first head."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._head_arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; a head that is too long by now will not be waited for."""
        super().data_received(data)
        if self._head_timer is not None:
            self._head_bytes += len(data)
            if self._head_bytes > _MAX_HEAD_BYTES:
                self._refuse("The request's head is too large.")

    def on_message_begin(self) -> None:
        """Expect the head of a further request, and let the application cut the connection."""
        super().on_message_begin()
        self.scope[ABORT] = self.transport.abort  # type: ignore[literal-required]
        self._expect_head()

    def on_headers_complete(self) -> None:
        """The head is here. One that came in a single piece is measured now."""
        self._head_arrived()
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > _MAX_HEAD_BYTES:
            raise ValueError("the request's head is too large")
        super().on_headers_complete()

    def _expect_head(self) -> None:
        self._head_arrived()
        self._head_bytes = 0
        message = "The request's head did not arrive in time."
        self._head_timer = self.loop.call_later(_HEAD_TIMEOUT_SECONDS, self._refuse, message)

    def _head_arrived(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, message: str) -> None:
        self._head_arrived()
        if not self.transport.is_closing():
            self.send_400_response(message)


class Listener(uvicorn.Server):
    """The server. `started` is called once it listens; `end_requests` makes the open requests end when it is told to stop."""

    def __init__(
        self,
        app: Any,
        *,
        shutdown_timeout_seconds: float,
        started: Callable[[], None],
        end_requests: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=Connection,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=_IDLE_TIMEOUT_SECONDS,
                timeout_graceful_shutdown=math.ceil(shutdown_timeout_seconds),
            )
        )
        self._announce = started
        self._end_requests = end_requests

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end. Unlike uvicorn's own, this does not raise the signal again: an orderly end is a success."""
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting while the open requests are being ended."""
        ending = asyncio.ensure_future(self._end_requests())
        await super().shutdown(sockets)
        await ending
