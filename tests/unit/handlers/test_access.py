"""The outermost application: requests whose answers break off."""

import asyncio
import logging

import pytest

from handlers.access import ABORT, Access
from handlers.errors import ClientDisconnected


async def visit(app):
    """What the log says of a request to `app`, and whether its connection was cut."""
    cuts = []

    async def send(message):
        pass

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/v1/x",
        "raw_path": b"/v1/x",
        "headers": [],
        ABORT: lambda: cuts.append(1),
    }
    await Access(app)(scope, None, send)
    return bool(cuts)


def breaking_off_with(error, *, after):
    async def app(scope, receive, send):
        for message in after:
            await send(message)
        raise error

    return app


HEAD = {"type": "http.response.start", "status": 200}
PART = {"type": "http.response.body", "body": b"x", "more_body": True}
END = {"type": "http.response.body", "body": b"x"}


@pytest.mark.parametrize("error", [ClientDisconnected(), RuntimeError("broken"), asyncio.CancelledError()])
async def test_an_answer_that_breaks_off_is_cut_so_that_nobody_takes_it_for_whole(error, caplog):
    with caplog.at_level(logging.INFO):
        assert await visit(breaking_off_with(error, after=[HEAD, PART]))
    assert caplog.records[-1].name == "trueline.access"
    assert "error=" in caplog.records[-1].getMessage()


async def test_an_answer_that_is_whole_is_not_cut():
    assert not await visit(breaking_off_with(ClientDisconnected(), after=[HEAD, END]))


async def test_a_client_that_left_is_logged_as_499(caplog):
    with caplog.at_level(logging.INFO, logger="trueline.access"):
        await visit(breaking_off_with(ClientDisconnected(), after=[]))
    assert "GET /v1/x 499 " in caplog.records[-1].getMessage()


async def test_a_fault_within_a_stream_leaves_its_traceback(caplog):
    with caplog.at_level(logging.INFO):
        await visit(breaking_off_with(RuntimeError("broken"), after=[HEAD, PART]))
    assert "RuntimeError: broken" in caplog.text
