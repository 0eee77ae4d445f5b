"""Reading bodies: every way in which bytes are not a JSON request."""

import asyncio

import pytest

from handlers.context import RequestRecord, attach
from handlers.contract.body import BodyLimits, check_media_type, parse_json, read_json
from handlers.errors import ApiError, ClientDisconnected

LIMITS = BodyLimits(max_bytes=100, timeout_seconds=0.1)


def scope_of(path="/v1/x", **headers):
    scope = {"headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]}
    attach(scope, RequestRecord("id", "POST", path))
    return scope


def receiving(*pieces, ends=True):
    """ASGI's receive for a body in pieces, which may never end."""
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    if ends:
        messages[-1]["more_body"] = False

    async def receive():
        if not messages:
            await asyncio.Event().wait()
        return messages.pop(0)

    return receive


async def test_a_body_in_pieces_is_read_whole():
    assert await read_json(scope_of(), receiving(b'{"a"', b": 1", b"}"), LIMITS) == {"a": 1}


@pytest.mark.parametrize("pieces", [[b" " * 101], [b" " * 60] * 2])
async def test_a_body_over_the_limit_is_413_however_it_comes(pieces):
    with pytest.raises(ApiError) as refusal:
        await read_json(scope_of(), receiving(*pieces), LIMITS)
    assert refusal.value.status == 413


async def test_an_announced_body_over_the_limit_is_refused_before_it_comes():
    with pytest.raises(ApiError) as refusal:
        await read_json(scope_of(content_length="101"), receiving(ends=False), LIMITS)
    assert refusal.value.status == 413


async def test_a_body_that_never_ends_is_408_and_the_connection_is_closed():
    with pytest.raises(ApiError) as refusal:
        await read_json(scope_of(), receiving(b"{", ends=False), LIMITS)
    assert refusal.value.status == 408
    assert refusal.value.headers["Connection"] == "close"


async def test_a_client_that_leaves_in_mid_body_is_told_nothing():
    async def receive():
        return {"type": "http.disconnect"}

    with pytest.raises(ClientDisconnected):
        await read_json(scope_of(), receive, LIMITS)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'"\xff"',
        b'"\\ud800"',
        b"[" * 100_000,
        b"\x00",
        b"{} {}",
        '{"a": 1}'.encode("utf-16"),
    ],
)
def test_what_is_not_json_is_400_and_says_where(body):
    with pytest.raises(ApiError) as refusal:
        parse_json(body)
    assert refusal.value.status == 400
    assert not body or "line 1, column" in refusal.value.message


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "Application/JSON; Charset=UTF-8", 'application/json; charset="utf-8"']
)
def test_json_in_utf8_is_taken_and_what_says_nothing_is_json(content_type):
    check_media_type(content_type, ("application/json",))


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/jsonp", "multipart/form-data", "application/json; charset=utf-16"]
)
def test_another_media_type_or_charset_is_415(content_type):
    with pytest.raises(ApiError) as refusal:
        check_media_type(content_type, ("application/json",))
    assert refusal.value.status == 415


async def test_curls_default_type_is_read_as_json_on_ollamas_api_only():
    form = {"content_type": "application/x-www-form-urlencoded"}
    assert await read_json(scope_of("/api/chat", **form), receiving(b"{}"), LIMITS) == {}
    with pytest.raises(ApiError):
        await read_json(scope_of("/v1/chat", **form), receiving(b"{}"), LIMITS)
