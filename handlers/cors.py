"""What browsers are told about pages of other origins: this machine's may call, and those that the settings name.

Owns the answers to preflights and the headers that let a page read an answer. Must not know keys or operations.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from handlers.boundary import ErrorBoundary
from handlers.security import is_local_page, origin_refusal

_SHOWN_HEADERS = ("x-request-id", "openai-processing-ms", "x-ignored-params")


def cors(app: ASGIApp, origins: tuple[str, ...]) -> ASGIApp:
    """`app` for pages of this machine and of `origins`. Errors of `app` must be answers already, to be readable for pages."""
    return ErrorBoundary(_Cors(app, origins))


class _Cors(CORSMiddleware):
    """Starlette's, which adds the pages of this machine, as Ollama does, and refuses the others in the dialect of the path."""

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        super().__init__(
            app, allow_origins=origins, allow_methods=["*"], allow_headers=["*"], expose_headers=_SHOWN_HEADERS
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight, refuse a foreign one; any other request is the application's."""
        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            headers = Headers(scope=scope)
            origin = headers.get("origin")
            if origin and "access-control-request-method" in headers and not self.is_allowed_origin(origin):
                raise origin_refusal(origin)
        await super().__call__(scope, receive, send)

    def is_allowed_origin(self, origin: str) -> bool:
        """Whether pages of this origin may call."""
        return super().is_allowed_origin(origin) or is_local_page(origin)
