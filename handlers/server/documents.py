"""`GET /openapi/*.json`: the documents as they were written, encoded once."""

from functools import cache

import orjson
from starlette.responses import Response

import openapi
from handlers.context import Call

_HEADERS = {"cache-control": "no-cache"}


async def openapi_openai(call: Call[None]) -> Response:
    """The OpenAI API's description."""
    return _response("openai")


async def openapi_ollama(call: Call[None]) -> Response:
    """The Ollama API's description."""
    return _response("ollama")


async def openapi_server(call: Call[None]) -> Response:
    """The description of everything else."""
    return _response("server")


def _response(name: openapi.DocumentName) -> Response:
    return Response(_encoded(name), headers=_HEADERS, media_type="application/json")


@cache
def _encoded(name: openapi.DocumentName) -> bytes:
    return orjson.dumps(openapi.document(name))
