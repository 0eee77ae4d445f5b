"""Answers checked against the documents, as they pass: JSON bodies whole, streams event by event, nothing delayed but the head.

Owns the check and its verdict. A broken answer raises: before the first byte that becomes a 500, later the stream's one error
event. Must not know how answers are made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from functools import partial
from typing import Any, Protocol

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from handlers.contract.documented import Operation, Place, Reader
from handlers.contract.schemas import Schemas
from handlers.contract.violation import CheckedSchema
from handlers.contract.wording import as_refusal

Message = MutableMapping[str, Any]


class ContractBroken(Exception):
    """This server was about to send what its documents do not allow."""


class _Check(Protocol):
    """Looks at a body as it passes. `feed` gets every piece, in order; `last` comes with the final one."""

    def feed(self, piece: bytes, *, last: bool) -> None: ...


class ResponseChecks:
    """An operation's application, with every answer of it checked."""

    def __init__(self, app: ASGIApp, operation: Operation, reader: Reader, schemas: Schemas) -> None:
        self._app = app
        self._operation = operation
        self._kinds = {
            status: {media: _kind(media, place, reader, schemas) for media, place in content.items()}
            for status, content in operation.responses.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the operation, with every message of its answer checked on the way out."""
        check: _Check | None = None
        head: Message | None = None

        async def checking_send(message: Message) -> None:
            nonlocal check, head
            if message["type"] == "http.response.start":
                check, head = self._check_of(message), message
                return
            last = not message.get("more_body", False)
            if check is not None:
                check.feed(message.get("body", b""), last=last)
            if head is not None and (last or not isinstance(check, _WholeCheck)):
                await send(head)
                head = None
            await send(message)

        await self._app(scope, receive, checking_send)

    def _check_of(self, head: Message) -> _Check | None:
        """What to do with the body that follows. Raises where the status or the media type is not documented."""
        status = str(head["status"])
        documented = next((key for key in (status, f"{status[0]}XX", "default") if key in self._kinds), None)
        if documented is None:
            raise ContractBroken(f"{self._operation.key}: status {status} is not documented")
        kinds = self._kinds[documented]
        content_type = dict(head["headers"]).get(b"content-type", b"").decode("latin-1")
        media_type = content_type.partition(";")[0].strip()
        if not kinds and not media_type:
            return None
        if media_type not in kinds:
            raise ContractBroken(f"{self._operation.key}: {status} with {media_type!r} is not documented")
        kind = kinds[media_type]
        return None if kind is None else kind(f"{self._operation.key}, {status} {media_type}")


Begin = Callable[[str], _Check]
"""Begins the check of one answer, which the text names."""


def _kind(media_type: str, place: Place | None, reader: Reader, schemas: Schemas) -> Begin | None:
    """What begins the check of a body of a media type; None where there is nothing to check."""
    if place is None:
        return None
    if media_type == "application/json":
        return partial(_WholeCheck, [CheckedSchema(place, reader, schemas)])
    if media_type == "application/x-ndjson":
        resolved, _ = reader.resolve(place)
        return partial(_StreamCheck, _Lines, frozenset(), [CheckedSchema(resolved.child("items"), reader, schemas)])
    if media_type == "text/event-stream":
        resolved, _ = reader.resolve(place)
        return _event_kind(resolved.child("properties", "data"), reader, schemas)
    return None


def _event_kind(data: Place, reader: Reader, schemas: Schemas) -> Begin:
    """Of an event's `data`: the texts that may stand there as they are, and the schemas of the JSON that may."""
    parts = dict(reader.parts(data))
    literals = frozenset(node["const"].encode() for node in parts.values() if "const" in node)
    contents = [place.child("contentSchema") for place, node in parts.items() if "contentSchema" in node]
    return partial(_StreamCheck, _Events, literals, [CheckedSchema(place, reader, schemas) for place in contents])


class _WholeCheck:
    """One JSON body."""

    def __init__(self, accepted: list[CheckedSchema], subject: str) -> None:
        self._accepted = accepted
        self._subject = subject
        self._pieces: list[bytes] = []

    def feed(self, piece: bytes, *, last: bool) -> None:
        self._pieces.append(piece)
        if last:
            _demand(b"".join(self._pieces), self._accepted, self._subject)


class _Payloads(Protocol):
    """Cuts a stream into payloads."""

    def feed(self, piece: bytes) -> Iterable[bytes]: ...


class _StreamCheck:
    """One stream: every payload is a permitted text or valid JSON."""

    def __init__(
        self,
        framing: type[_Payloads],
        literals: frozenset[bytes],
        accepted: list[CheckedSchema],
        subject: str,
    ) -> None:
        self._framing = framing()
        self._literals = literals
        self._accepted = accepted
        self._subject = subject

    def feed(self, piece: bytes, *, last: bool) -> None:
        for payload in self._framing.feed(piece):
            if payload not in self._literals:
                _demand(payload, self._accepted, self._subject)


class _Lines:
    """Newline-delimited payloads."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> Iterable[bytes]:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        return lines


class _Events:
    """The data of server-sent events; comments are none."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> Iterable[bytes]:
        *events, self._rest = (self._rest + piece).split(b"\n\n")
        return [_data(event) for event in events if not event.startswith(b":")]


def _data(event: bytes) -> bytes:
    """What an event carries, be it under a name."""
    if event.startswith(b"event: "):
        _, _, event = event.partition(b"\n")
    return event.removeprefix(b"data: ")


def _demand(payload: bytes, accepted: list[CheckedSchema], subject: str) -> None:
    """Raises ContractBroken unless `payload` is JSON that one of the accepted accepts."""
    try:
        value = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise ContractBroken(f"{subject}: not JSON: {payload[:200]!r}") from error
    if not any(schema.is_valid(value) for schema in accepted):
        raise ContractBroken(f"{subject}: {_complaint(value, accepted)} in {payload[:2000]!r}")


def _complaint(value: Any, accepted: list[CheckedSchema]) -> str:
    return "; ".join(as_refusal(schema.violation(value), value).message for schema in accepted)
