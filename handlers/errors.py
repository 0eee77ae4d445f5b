"""One table: exception -> status, type and code; and the body that each dialect gives an error.

Owns the wording of every error that is not about one field of the contract. Must not know the documents or any operation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import orjson

from engine import EngineError, ErrorCode
from handlers.context import Dialect
from handlers.wire.refusal import InvalidParameter

REQUEST_ERROR = "invalid_request_error"
SERVER_ERROR = "server_error"
_LONGEST_MESSAGE = 2000
_LONGEST_RETRY_SECONDS = 600


class ApiError(Exception):
    """A request ends with an error answer. The fields are OpenAI's; Ollama's shape keeps the message alone.

    Raised wherever the cause is known; `handlers.errors.as_api_error` turns every other exception into one.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = REQUEST_ERROR,  # noqa: A002 - the name of the field in the published error object
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.type = type
        self.param = param
        self.code = code
        self.headers: Mapping[str, str] = headers or {}


class ClientDisconnected(Exception):
    """The client left before its answer was complete: nobody is there to be told."""


class _Rule(NamedTuple):
    """How one cause is answered."""

    status: int
    type: str
    headers: dict[str, str] = {}  # noqa: RUF012 - of a named tuple, whose values nobody changes


_ENGINE_RULES: Mapping[ErrorCode, _Rule] = {
    "model_not_found": _Rule(404, REQUEST_ERROR),
    "model_load_failed": _Rule(500, SERVER_ERROR),
    "invalid_request": _Rule(400, REQUEST_ERROR),
    "context_length_exceeded": _Rule(400, REQUEST_ERROR),
    "unsupported_schema": _Rule(400, REQUEST_ERROR),
    "template_failed": _Rule(500, SERVER_ERROR),
    "not_supported_by_model": _Rule(400, REQUEST_ERROR),
    "overloaded": _Rule(503, SERVER_ERROR, {"Retry-After": "1"}),
    "queue_full": _Rule(429, SERVER_ERROR, {"Retry-After": "5"}),
    "queue_timeout": _Rule(503, SERVER_ERROR, {"Retry-After": "30"}),
    "worker_died": _Rule(500, SERVER_ERROR),
    "shutting_down": _Rule(503, SERVER_ERROR, {"Retry-After": "5"}),
}


@contextmanager
def naming(names: Mapping[str, str]) -> Iterator[None]:
    """Inside, the engine's refusals name the parts of a request as the client does: `names` maps the engine's names to those."""
    try:
        yield
    except EngineError as error:
        param = names.get(error.param or "", error.param)
        raise EngineError(
            error.code, error.message, param=param, retry_after_seconds=error.retry_after_seconds
        ) from error


def as_api_error(error: BaseException, request_id: str) -> ApiError:
    """The answer to any exception. What nobody foresaw becomes a 500 that names the request and nothing internal."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, InvalidParameter):
        return ApiError(400, _shortened(error.message), param=error.param, code=error.code)
    if isinstance(error, EngineError) and error.code in _ENGINE_RULES:
        rule = _ENGINE_RULES[error.code]
        return ApiError(
            rule.status,
            _shortened(_naming(error.param, error.message)),
            type=rule.type,
            param=error.param,
            code=error.code,
            headers=rule.headers | _retry_after(error),
        )
    return ApiError(
        500,
        f"The server had an error while it processed this request. Its log says more under request id {request_id}.",
        type=SERVER_ERROR,
        code="internal_error",
    )


def _retry_after(error: EngineError) -> dict[str, str]:
    """Whole seconds (RFC 9110, section 10.2.3), within what a client will wait for."""
    if error.retry_after_seconds is None:
        return {}
    return {"Retry-After": str(min(max(1, math.ceil(error.retry_after_seconds)), _LONGEST_RETRY_SECONDS))}


def _naming(param: str | None, message: str) -> str:
    """A message that says which field it is about: Ollama's error has no other place for it."""
    return f"{param}: {message}" if param and param not in message else message


def _shortened(message: str) -> str:
    """A message that may repeat what the client sent: its beginning and end say enough."""
    return message if len(message) <= _LONGEST_MESSAGE else f"{message[:500]} ... {message[-500:]}"


def is_unforeseen(error: BaseException) -> bool:
    """Whether the log should show where `error` came from: it is a fault of this program."""
    if isinstance(error, EngineError):
        return error.code not in _ENGINE_RULES
    return not isinstance(error, ApiError | InvalidParameter)


def error_content(error: ApiError, dialect: Dialect) -> dict[str, Any]:
    """The error object of a dialect: OpenAI's with all four keys, Ollama's with its one text."""
    if dialect == "ollama":
        return {"error": error.message}
    return {"error": {"message": error.message, "type": error.type, "param": error.param, "code": error.code}}


def error_body(error: ApiError, dialect: Dialect) -> bytes:
    """The JSON bytes of `error_content`."""
    return orjson.dumps(error_content(error, dialect))
