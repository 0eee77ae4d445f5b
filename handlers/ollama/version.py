"""`GET /api/version`, and the greeting at `/` by which clients see that a server is there."""

from importlib.metadata import version as version_of

from starlette.responses import PlainTextResponse, Response

from handlers.context import Call
from handlers.streaming import json_response

_GREETING = "Ollama is running"


async def version(call: Call[None]) -> Response:
    """The version of this server, in the form of a semantic version."""
    return json_response({"version": version_of("trueline")})


async def root(call: Call[None]) -> Response:
    """The text that Ollama's clients look for. A HEAD request gets its headers alone."""
    return PlainTextResponse(_GREETING)
