"""`GET /api/version`, and the greeting at `/` by which clients see that a server is there."""

from starlette.responses import PlainTextResponse, Response

from handlers.context import Call
from handlers.streaming import json_response

_GREETING = "Ollama is running"
_API_VERSION = "0.32.15"
"""The Ollama whose API is described in `openapi/ollama.yaml`. Clients refuse servers that say less than they need."""


async def version(call: Call[None]) -> Response:
    """The version of Ollama whose API this server speaks, which is what clients compare."""
    return json_response({"version": _API_VERSION})


async def root(call: Call[None]) -> Response:
    """The text that Ollama's clients look for. A HEAD request gets its headers alone."""
    return PlainTextResponse(_GREETING)
