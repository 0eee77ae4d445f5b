"""Reading a request's JSON body: its media type, its size, its time, its bytes.

Owns every refusal that needs no schema. Must not know operations.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.types import Receive, Scope

from handlers.context import record_of
from handlers.errors import ApiError, ClientDisconnected

JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_UTF8 = ("utf-8", "utf8", "us-ascii")
_CLOSE = {"Connection": "close"}  # the rest of an unfinished body must not be read as the next request


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """The most bytes of a body, and the longest that its arrival may take."""

    max_bytes: int
    timeout_seconds: float


async def read_json(scope: Scope, receive: Receive, limits: BodyLimits) -> Any:
    """The parsed JSON body. Raises 400, 408, 413 and 415 as the body deserves, ClientDisconnected where it never ends."""
    headers = dict(scope["headers"])
    check_media_type(headers.get(b"content-type", b"").decode("latin-1"), accepted_types(scope))
    announced = int(headers.get(b"content-length", b"0"))
    if announced > limits.max_bytes:
        raise _too_large(limits)
    try:
        async with asyncio.timeout(limits.timeout_seconds):
            body = await _read(receive, limits)
    except TimeoutError:
        message = f"The request body did not arrive within {limits.timeout_seconds:g} seconds."
        raise ApiError(408, message, code="request_timeout", headers=_CLOSE) from None
    return parse_json(body)


def accepted_types(scope: Scope) -> Collection[str]:
    """The media types that are read as JSON. Ollama's manual calls its API with curl's default type, so `/api` takes it too."""
    return (JSON, _FORM) if record_of(scope).dialect == "ollama" else (JSON,)


def check_media_type(content_type: str, accepted: Collection[str]) -> None:
    """Raises 415 for a type other than the `accepted` ones, or a charset other than UTF-8. A missing type is JSON."""
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    if media_type and media_type not in accepted:
        message = f"The Content-Type {media_type[:100]!r} is not supported; send {JSON}."
        raise ApiError(415, message, code="unsupported_media_type")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "charset" and value.strip('"') not in _UTF8:
            raise ApiError(415, f"The charset {value[:40]!r} is not supported; send UTF-8.", code="unsupported_charset")


def parse_json(body: bytes) -> Any:
    """The JSON value in `body`. Raises the 400 that says where it breaks off being one."""
    if not body:
        raise ApiError(400, "The request needs a JSON body.", code="missing_body")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ApiError(
            400, f"The request body is not valid JSON: {error.msg} {_position(error)}.", code="invalid_json"
        ) from None


def _position(error: orjson.JSONDecodeError) -> str:
    return f"(line {error.lineno}, column {error.colno})"


async def _read(receive: Receive, limits: BodyLimits) -> bytes:
    chunks: list[bytes] = []
    size_bytes = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        chunk = message.get("body", b"")
        size_bytes += len(chunk)
        if size_bytes > limits.max_bytes:
            raise _too_large(limits)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(limits: BodyLimits) -> ApiError:
    message = f"The request body is larger than {limits.max_bytes} bytes, the most that this server takes."
    return ApiError(413, message, code="request_too_large")
