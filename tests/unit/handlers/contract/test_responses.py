"""Answers checked as they pass: what the documents do not allow never leaves whole."""

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from handlers.contract.documented import Reader, operations
from handlers.contract.responses import ContractBroken, ResponseChecks
from handlers.contract.schemas import Schemas

NUMBER = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
EVENT = {
    "type": "object",
    "properties": {
        "data": {
            "anyOf": [
                {"const": "[DONE]"},
                {
                    "type": "string",
                    "contentMediaType": "application/json",
                    "contentSchema": {"anyOf": [{"required": ["error"]}, {"$ref": "#/number"}]},
                },
            ]
        }
    },
}
SPEC = {
    "number": NUMBER,
    "paths": {
        "/x": {
            "get": {
                "operationId": "x",
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {"schema": {"$ref": "#/number"}},
                            "text/event-stream": {"schema": EVENT},
                            "application/x-ndjson": {"schema": {"type": "array", "items": {"$ref": "#/number"}}},
                            "text/plain": {"schema": {"type": "string"}},
                        }
                    },
                    "204": {"description": ""},
                    "4XX": {"content": {"application/json": {"schema": {"required": ["error"]}}}},
                },
            }
        }
    },
}


async def sent(response):
    """What leaves of `response` through the checks, message by message."""
    messages = []

    async def send(message):
        messages.append(message)

    async def receive():
        return {"type": "http.disconnect"}

    (operation,) = operations("test", SPEC)
    checks = ResponseChecks(response, operation, Reader("test", SPEC), Schemas({"test": SPEC}))
    try:
        await checks({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, send)
    except ContractBroken as broken:
        return messages, str(broken)
    return messages, None


def stream(media_type, *pieces):
    async def body():
        for piece in pieces:
            yield piece

    return StreamingResponse(body(), media_type=media_type)


@pytest.mark.parametrize(
    "response",
    [
        JSONResponse({"n": 1}),
        JSONResponse({"error": "x"}, 404),
        PlainTextResponse("x"),
        Response(status_code=204),
        stream("text/event-stream", b'data: {"n":1}\n\n', b": comment\n\n", b'data: {"error":1}\n\ndata: [DONE]\n\n'),
        stream("text/event-stream", b'data: {"n"', b":1}\n", b"\n"),
        stream("text/event-stream", b'event: number\ndata: {"n":1}\n\n'),
        stream("application/x-ndjson", b'{"n":1}\n{"n":', b"2}\n"),
    ],
)
async def test_what_is_documented_passes_unchanged(response):
    messages, broken = await sent(response)
    assert broken is None
    assert messages[0]["type"] == "http.response.start"
    assert messages[-1].get("more_body", False) is False


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (JSONResponse({"n": "one"}), "'n' must be an integer"),
        (JSONResponse({"n": 1}, 500), "status 500 is not documented"),
        (JSONResponse({"n": 1}, 404), "'error' is required"),
        (Response(b"<x/>", media_type="text/xml"), "'text/xml' is not documented"),
        (Response(b"{", media_type="application/json"), "not JSON"),
        (stream("text/event-stream", b'data: {"n":"one"}\n\n'), "'n' must be an integer"),
        (stream("text/event-stream", b"data: hello\n\n"), "not JSON"),
        (stream("text/event-stream", b'event: number\ndata: {"n":"one"}\n\n'), "'n' must be an integer"),
        (stream("application/x-ndjson", b'{"n":null}\n'), "'n' must be an integer"),
    ],
)
async def test_what_is_not_documented_raises_before_anything_is_sent(response, words):
    messages, broken = await sent(response)
    assert words in broken
    assert messages == []


async def test_a_stream_is_not_held_back_by_its_check():
    messages, broken = await sent(
        stream("text/event-stream", b'data: {"n":1}\n\n', b"data: {}\n\n", b"data: [DONE]\n\n")
    )
    assert broken is not None
    assert [message.get("body") for message in messages] == [None, b'data: {"n":1}\n\n']
