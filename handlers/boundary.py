"""The line that no exception crosses: everything raised below becomes an error answer in the dialect of the request's path.

Owns turning exceptions into responses. Must not know what raised them.
"""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from handlers.context import record_of
from handlers.errors import ClientDisconnected, as_api_error, error_body, is_unforeseen

log = logging.getLogger("trueline")


class ErrorBoundary:
    """Answers for an application that raises before it has begun to answer. Later it is too late: then it raises, too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application; answer with the error where it raises."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def noting_send(message: MutableMapping[str, Any]) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting_send)
        except ClientDisconnected:
            raise
        except Exception as error:
            if begun:
                raise
            await _error_response(scope, error)(scope, receive, send)


def _error_response(scope: Scope, error: Exception) -> Response:
    record = record_of(scope)
    if is_unforeseen(error):
        log.error("request %s failed", record.id, exc_info=error)
    answer = as_api_error(error, record.id)
    record.failure = answer.message
    body = error_body(answer, record.dialect)
    return Response(body, answer.status, dict(answer.headers), media_type="application/json")
