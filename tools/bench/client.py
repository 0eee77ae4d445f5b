"""One server as a client sees it: sends requests and notes when each piece of the answers came.

Owns addresses, requests and the pool of connections. Must not know workloads or statistics. Connections are kept alive where the server
allows it; one that it closed in the meantime is replaced without counting as an error.
"""

import asyncio
import time
from typing import Any, Self
from urllib.parse import urlsplit

import orjson

from tools.bench.connection import Connection, ConnectionFailed
from tools.bench.record import Record

JsonObject = dict[str, Any]


class ServerUnusable(Exception):
    """The server cannot be measured; the message says why."""


class Client:
    """Talks to one server; use as an asynchronous context manager. `base_url` includes the `/v1`. `counts_pieces`: see `Record`."""

    def __init__(
        self, base_url: str, *, api_key: str | None = None, timeout_seconds: float = 600.0, counts_pieces: bool = False
    ) -> None:
        self._base_url = base_url.rstrip("/")
        parts = urlsplit(self._base_url)
        self._is_secure = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port or (443 if self._is_secure else 80)
        self._path = parts.path
        self._headers = f"Host: {parts.netloc}\r\nAccept: */*\r\nContent-Type: application/json\r\n"
        if api_key:
            self._headers += f"Authorization: Bearer {api_key}\r\n"
        self._timeout_seconds = timeout_seconds
        self._counts_pieces = counts_pieces
        self._idle: list[Connection] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in self._idle:
            connection.close()

    async def first_model(self) -> str:
        """The id of the first model that the server lists."""
        models = await self.get("/models")
        if not models.get("data"):
            raise ServerUnusable(f"{self._base_url}/models lists no model")
        return str(models["data"][0]["id"])

    async def get(self, path: str) -> JsonObject:
        """The JSON object at a path below the base URL; an empty one for an error status. Raises ServerUnusable if nobody answers."""
        arrivals: list[tuple[float, bytes]] = []
        try:
            status = await self._exchange(self._request("GET", path, b""), arrivals)
            return dict(orjson.loads(b"".join(body for _, body in arrivals))) if status == 200 else {}
        except (ConnectionFailed, OSError, TimeoutError, ValueError) as error:
            raise ServerUnusable(f"{self._base_url}: {error}") from error

    async def chat(self, body: JsonObject, record: Record | None = None) -> Record:
        """Sends one chat completion and waits for the end of the answer. `record` may be read while it grows."""
        return await self.post("/chat/completions", body, record)

    async def post(self, path: str, body: JsonObject, record: Record | None = None) -> Record:
        """Sends `body` to a path below the base URL. What goes wrong is the record's error; nothing is raised."""
        request = self._request("POST", path, orjson.dumps(body))
        record = record or Record(time.perf_counter())
        record.streamed = bool(body.get("stream"))
        record.counts_pieces = self._counts_pieces
        try:
            status = await self._exchange(request, record.arrivals)
        except (ConnectionFailed, OSError, TimeoutError) as error:
            record.error = f"{type(error).__name__}: {error}"
        else:
            if status != 200:
                text = b"".join(content for _, content in record.arrivals).decode(errors="replace")
                record.error = f"HTTP {status}: {text[:200]}"
                record.arrivals.clear()
        record.ended = time.perf_counter()
        return record

    def _request(self, method: str, path: str, body: bytes) -> bytes:
        head = f"{method} {self._path}{path} HTTP/1.1\r\n{self._headers}Content-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    async def _exchange(self, request: bytes, arrivals: list[tuple[float, bytes]]) -> int:
        """The answer's status."""
        async with asyncio.timeout(self._timeout_seconds):
            while True:
                connection = await self._connection()
                try:
                    await connection.exchange(request, arrivals)
                    break
                except ConnectionFailed as failure:
                    if not failure.is_stale:
                        raise
        if connection.is_reusable:
            self._idle.append(connection)
        else:
            connection.close()
        return connection.status

    async def _connection(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_reusable:
                return connection
        loop = asyncio.get_running_loop()
        secure = True if self._is_secure else None
        return (await loop.create_connection(Connection, self._host, self._port, ssl=secure))[1]
