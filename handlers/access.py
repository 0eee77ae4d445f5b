"""What every answer gets and every request leaves: an id, the time it took, and one line in the log.

Owns the headers that no operation knows of, and the last word on a request whose answer broke off. Must not know operations.
"""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
from collections.abc import Callable, MutableMapping
from typing import Any
from urllib.parse import quote

from starlette.types import ASGIApp, Receive, Scope, Send

from handlers.context import RequestRecord, attach
from handlers.errors import ClientDisconnected

log = logging.getLogger("trueline")
access_log = logging.getLogger("trueline.access")

ABORT = "trueline.abort"
"""Where in the scope the server leaves the function that cuts the connection."""

_SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_LONGEST_NAME = 100
_CLIENT_LEFT = 499  # not a status of HTTP: what servers' logs call a request whose client did not wait


class Access:
    """The outermost application: knows each request from its first to its last byte."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, name it, time it and log it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = _Visit(scope, send)
        try:
            await self._app(scope, receive, visit.send)
        except asyncio.CancelledError:  # only the server's end cancels a request, and nothing comes after it
            await visit.break_off("the server ended first", visit.status)
        except ClientDisconnected as departure:
            await visit.break_off(str(departure) or "the client left", _CLIENT_LEFT)
        except Exception as error:
            log.error("request %s broke off", visit.record.id, exc_info=error)
            await visit.break_off("internal error", visit.status)
        finally:
            visit.log()


class _Visit:
    """One request and what became of it."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.record = RequestRecord(_request_id(scope), scope["method"], scope["path"])
        self.status = 0
        self._raw_path: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
        self._complete = False
        self._send = send
        self._abort: Callable[[], None] | None = scope.get(ABORT)
        attach(scope, self.record)

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Send a message of the answer, its head with the headers that every answer has."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *self._headers()]
        await self._send(message)
        self._complete = message["type"] == "http.response.body" and not message.get("more_body", False)

    async def break_off(self, reason: str, status: int) -> None:
        """End without an answer, or in the middle of one. The client must not take what it has for all of it."""
        self.record.failure = reason
        self.status = status
        if self._abort is not None and not self._complete:
            self._abort()
            await asyncio.sleep(0)  # the server hears of the lost connection before this request is over

    def log(self) -> None:
        """One line: method, path, status, time, and what else is known."""
        if not access_log.isEnabledFor(logging.INFO):
            return
        record = self.record
        shown_path = self._raw_path.decode("latin-1")[:200]
        parts = [f"{record.method} {shown_path} {self.status} {record.elapsed_ms} ms {record.id}"]
        if isinstance(record.model, str):
            parts.append(f"model={record.model[:_LONGEST_NAME]!r}")
        if record.prompt_tokens is not None:
            parts.append(f"tokens={record.prompt_tokens}+{record.completion_tokens or 0}")
        if record.failure is not None:
            parts.append(f"error={record.failure[:300]!r}")
        access_log.info(" ".join(parts))

    def _headers(self) -> list[tuple[bytes, bytes]]:
        record = self.record
        headers = [(b"x-request-id", record.id.encode())]
        if f"{record.path}/".startswith("/v1/"):
            headers.append((b"openai-processing-ms", str(record.elapsed_ms).encode()))
        if record.ignored:
            headers.append((b"x-ignored-params", ", ".join(map(_header_text, record.ignored)).encode()))
        return headers


def _header_text(name: str) -> str:
    """A path of the client's making, as characters that may stand in a header."""
    return quote(name[:_LONGEST_NAME], safe="[]$@:;!()*+/", errors="replace")


def _request_id(scope: Scope) -> str:
    """The client's own id where it is one, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _SANE_ID.fullmatch(value.decode("latin-1")):
            return str(value.decode("latin-1"))
    return f"req_{uuid.uuid4().hex}"
