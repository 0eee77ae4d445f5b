"""One request's view of the application: its checked input, the engine, the settings, and the notes for its log line.

Owns what travels with a request. Must not know the contract's documents, nor how errors are worded.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

if TYPE_CHECKING:
    from engine import Engine
    from handlers.config import ServerConfig

Body = TypeVar("Body")
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Dialect = Literal["openai", "ollama"]

MOST_IGNORED = 32
"""Names in one header."""

_SCOPE_KEY = "trueline.request"


def dialect_of(path: str) -> Dialect:
    """Which API's error shape a path speaks: Ollama's at its own root and below `/api`, OpenAI's everywhere else."""
    return "ollama" if path in ("/", "/api") or path.startswith("/api/") else "openai"


@dataclass(slots=True)
class RequestRecord:
    """What is known about a request so far, for its response headers and its one log line.

    `started` is a `time.perf_counter()` value. `failure` is the message of the error that the client got, if any;
    `ignored` are the paths of its keys that no document knows; `tenant` tells those who ask apart, by their API keys' digests.
    """

    id: str
    method: str
    path: str
    started: float = field(default_factory=time.perf_counter)
    model: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    failure: str | None = None
    ignored: Sequence[str] = ()
    tenant: str = ""

    @property
    def dialect(self) -> Dialect:
        """The API whose error shape the path speaks."""
        return dialect_of(self.path)

    @property
    def elapsed_ms(self) -> int:
        """Whole milliseconds since the request came in."""
        return int((time.perf_counter() - self.started) * 1000)


def attach(scope: MutableMapping[str, Any], record: RequestRecord) -> None:
    """Make `record` the record of the request that `scope` describes."""
    scope[_SCOPE_KEY] = record


def record_of(scope: Mapping[str, Any]) -> RequestRecord:
    """The record of the request that `scope` describes."""
    record: RequestRecord = scope[_SCOPE_KEY]
    return record


@dataclass(slots=True, frozen=True)
class Call(Generic[Body]):
    """What an operation gets: everything it needs, already validated against the contract.

    `body` is the parsed JSON body (None where the operation has none), `path` and `query` hold the declared
    parameters, converted to their types. `receive` is ASGI's; operations leave it to `handlers.streaming`.
    """

    body: Body
    path: Mapping[str, str]
    query: Mapping[str, Any]
    engine: Engine
    config: ServerConfig
    record: RequestRecord
    receive: Receive

    @property
    def request_id(self) -> str:
        """The id that the response's `x-request-id` and the log line carry."""
        return self.record.id

    @property
    def dialect(self) -> Dialect:
        """The API whose error shape this request's path speaks."""
        return self.record.dialect
