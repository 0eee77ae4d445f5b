"""Null for what a client has not set, as clients whose languages have no absent fields send it."""

from typing import Any

import pytest

from handlers.wire.ollama import chat, embed, generate
from tests.unit.handlers.scripted_engine import client
from tests.unit.handlers.wire.scripted import conforming, entry

GENERATE = ("prompt", "suffix", "images", "format", "system", "stream", "think", "raw", "keep_alive", "options")
CHAT = ("messages", "tools", "format", "options", "stream", "think", "keep_alive", "logprobs", "top_logprobs")
LOGPROBS = ("logprobs", "top_logprobs", "template", "context")
EMBED = ("truncate", "dimensions", "keep_alive", "options")


@pytest.mark.parametrize(
    ("module", "schema", "given", "fields"),
    [
        (generate, "GenerateRequest", {}, GENERATE + LOGPROBS),
        (generate, "GenerateRequest", {"prompt": "Hi"}, GENERATE[1:] + LOGPROBS),
        (generate, "GenerateRequest", {"prompt": "Hi", "raw": True}, LOGPROBS),
        (generate, "GenerateRequest", {"suffix": "there"}, ("prompt",)),
        (chat, "ChatRequest", {"messages": [{"role": "user", "content": "Hi"}]}, CHAT[1:]),
        (embed, "EmbedRequest", {"input": "Hi"}, EMBED),
    ],
)
def test_null_asks_for_what_absence_asks_for(module: Any, schema: str, given: Any, fields: tuple[str, ...]) -> None:
    without = {"model": "demo", **given}
    model = entry("demo", capabilities=("completion", "insert"))
    with_nulls = conforming({**without, **dict.fromkeys(fields)}, "ollama", schema)
    assert module.parse(with_nulls, model) == module.parse(without, model)


async def test_a_null_stream_streams_and_no_messages_load() -> None:
    messages = [{"role": "user", "content": "Hi"}]
    async with client() as http:
        generated = await http.post("/api/generate", json={"model": "demo", "prompt": "Hi", "stream": None})
        chatted = await http.post("/api/chat", json={"model": "demo", "messages": messages, "stream": None})
    assert [r.headers["content-type"] for r in (generated, chatted)] == ["application/x-ndjson"] * 2
    assert not chat.has_messages(conforming({"model": "demo", "messages": None}, "ollama", "ChatRequest"))
    assert embed.parse_older(conforming({"model": "demo", "prompt": None}, "ollama", "EmbeddingsRequest")).inputs == ()
