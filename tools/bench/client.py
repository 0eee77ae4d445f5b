"""One server as a client sees it: sends a chat completion and notes when each piece of the answer came.

Owns HTTP and event streams. Must not know workloads or statistics. Connections are kept alive where the server allows it; one that it
closed in the meantime is replaced without counting as an error.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
import orjson

_STALE_CONNECTION = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)


class ServerUnusable(Exception):
    """The server cannot be measured; the message says why."""


@dataclass
class Record:
    """What happened to one request; times are seconds of one monotonic clock.

    `piece_times`: when each event with content arrived (for an answer that is not streamed: when it was complete).
    """

    started: float
    ended: float = 0.0
    piece_times: list[float] = field(default_factory=list)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    error: str | None = None

    def count(self, usage: dict[str, Any]) -> None:
        """Takes the server's own token counts."""
        self.prompt_tokens = usage["prompt_tokens"]
        self.completion_tokens = usage["completion_tokens"]
        self.cached_tokens = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0


class Client:
    """Talks to one server; use as an asynchronous context manager."""

    def __init__(self, base_url: str, *, api_key: str | None = None, timeout_seconds: float = 600.0) -> None:
        self._base_url = base_url.rstrip("/")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=timeout_seconds),
            headers={"authorization": f"Bearer {api_key}"} if api_key else {},
            json_serialize=lambda value: orjson.dumps(value).decode(),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def first_model(self) -> str:
        """The id of the first model that the server lists."""
        try:
            async with self._session.get(f"{self._base_url}/models") as response:
                models = await response.json() if response.ok else {}
        except aiohttp.ClientError as error:
            raise ServerUnusable(f"{self._base_url}: {error}") from error
        if not models.get("data"):
            raise ServerUnusable(f"{self._base_url}/models lists no model")
        return str(models["data"][0]["id"])

    async def chat(self, body: dict[str, Any], record: Record | None = None) -> Record:
        """Sends one chat completion and reads the answer to its end. `record` may be read while it grows."""
        record = record or Record(time.perf_counter())
        try:
            async with self._post(body) as response:
                if response.status != 200:
                    record.error = f"HTTP {response.status}: {(await response.text())[:200]}"
                elif body["stream"]:
                    await _read_events(response, record)
                else:
                    record.count(orjson.loads(await response.read())["usage"])
                    record.piece_times.append(time.perf_counter())
        except (aiohttp.ClientError, TimeoutError, KeyError, ValueError) as error:
            record.error = f"{type(error).__name__}: {error}"
        record.ended = time.perf_counter()
        return record

    @asynccontextmanager
    async def _post(self, body: dict[str, Any]) -> AsyncIterator[aiohttp.ClientResponse]:
        url = f"{self._base_url}/chat/completions"
        try:
            response = await self._session.post(url, json=body)
        except _STALE_CONNECTION:
            response = await self._session.post(url, json=body)
        async with response:
            yield response


async def _read_events(response: aiohttp.ClientResponse, record: Record) -> None:
    async for line in response.content:
        if not line.startswith(b"data: ") or line.startswith(b"data: [DONE]"):
            continue
        event = orjson.loads(line[6:])
        if event.get("error"):
            record.error = str(event["error"])[:200]
        if event.get("usage"):
            record.count(event["usage"])
        if any(_has_content(choice["delta"]) for choice in event.get("choices", ())):
            record.piece_times.append(time.perf_counter())
    if not record.completion_tokens and not record.error:
        record.error = "the stream ended without usage"


def _has_content(delta: dict[str, Any]) -> bool:
    return bool(delta.get("content") or delta.get("reasoning_content") or delta.get("tool_calls"))
