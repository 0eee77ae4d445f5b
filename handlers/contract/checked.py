"""One operation with everything that stands between a request and its function: parameters, body, coverage, unknown keys.

Owns the order of those checks. Must not know Connexion, nor how a refusal becomes a response.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from handlers.context import MOST_IGNORED, Call, record_of
from handlers.contract.body import JSON, BodyLimits, read_json
from handlers.contract.coverage import Limits
from handlers.contract.documented import Operation, Place, Reader
from handlers.contract.integers import integer_fields, make_integral
from handlers.contract.keys import known_keys, unknown_paths, without_unknown
from handlers.contract.parameters import Parameters
from handlers.contract.schemas import Schemas, compiled
from handlers.contract.violation import CheckedSchema
from handlers.contract.wording import as_refusal
from handlers.errors import ApiError

if TYPE_CHECKING:
    from engine import Engine
    from handlers.config import ServerConfig

Function = Callable[[Call[Any]], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every operation shares."""

    engine: Engine
    config: ServerConfig
    schemas: Schemas

    @property
    def body_limits(self) -> BodyLimits:
        """The configured limits of a request's body."""
        return BodyLimits(self.config.max_body_bytes, self.config.body_timeout_seconds)


class CheckedOperation:
    """An ASGI application for one operation: checks the request by the documents, then lets the function answer."""

    def __init__(
        self, operation: Operation, reader: Reader, limits: Limits, function: Function, around: Surroundings
    ) -> None:
        self._function = function
        self._around = around
        self._parameters = Parameters(operation.parameters, reader, around.schemas)
        self._body = CheckedBody(operation.body[JSON], reader, limits, around) if operation.body else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the request, call the function, send its response."""
        call = await self._call(scope, receive)
        response = await self._function(call)
        await response(scope, receive, send)

    async def _call(self, scope: Scope, receive: Receive) -> Call[Any]:
        record = record_of(scope)
        path = self._parameters.path(scope)
        query, ignored = self._parameters.query(scope)
        body: Any = None
        if self._body is not None:
            body, unknown = await self._body.read(scope, receive)
            ignored += unknown
            record.model = body.get("model")
        if ignored:
            self._judge(ignored)
            record.ignored = ignored
        return Call(
            body=body,
            path=path,
            query=query,
            engine=self._around.engine,
            config=self._around.config,
            record=record,
            receive=receive,
        )

    def _judge(self, unknown: list[str]) -> None:
        if self._around.config.strict:
            names = ", ".join(f"'{name[:100]}'" for name in unknown[:5])
            message = f"The request has parameters that this server does not know: {names}."
            raise ApiError(400, message, param=unknown[0][:200], code="unknown_parameter")


class CheckedBody:
    """An operation's JSON body: read, then checked by its schema and by what this server covers of it."""

    def __init__(self, schema: Place, reader: Reader, limits: Limits, around: Surroundings) -> None:
        self._schema = CheckedSchema(schema, reader, around.schemas)
        self._read_limits = around.body_limits
        self._limits = limits
        self._known = known_keys(reader, schema)
        self._supported = compiled(limits.schema())
        self._without_unknown = compiled(without_unknown(self._known))
        self._integers = integer_fields(reader, schema)

    async def read(self, scope: Scope, receive: Receive) -> tuple[Any, list[str]]:
        """The body, and the paths of its keys that no document knows. Raises whatever refuses it."""
        body = await read_json(scope, receive, self._read_limits)
        if not self._schema.is_valid(body):
            raise as_refusal(self._schema.violation(body), body)
        if not self._supported.is_valid(body):
            self._limits.check(body)
        make_integral(self._integers, body)
        if self._without_unknown.is_valid(body):
            return body, []
        return body, list(islice(unknown_paths(self._known, body), MOST_IGNORED))
