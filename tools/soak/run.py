"""The soak: many clients at once until the time is up, then silence, then the reckoning.

Owns the clock and the clients. Must not know what the requests mean.
"""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field

from tools.bench.client import Client
from tools.bench.record import Record
from tools.bench.workload import JsonObject, text_of
from tools.soak.asks import CHAT_MODEL, CONTEXT_TOKENS, KEYS, Ask, draw_ask
from tools.soak.census import Census, census, unfinished

_QUIET_SECONDS = 3.0
_PATIENCE_AT_THE_END_SECONDS = 60.0
_MOST_FAULTS = 20


@dataclass
class Soak:
    """One server under load. `counts`: answers by kind of request and outcome; `faults`: everything that must not have happened;
    `log`: what the server printed, if that is one of them.
    """

    url: str
    server_pid: int
    clients: int
    seed: int
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    log: str = ""
    before: Census | None = None
    after: Census | None = None

    async def run(self, seconds: float) -> None:
        """Warm up for a fifth of the time (five minutes at most), look, load for the rest, look again."""
        warm_up_seconds = min(seconds / 5, 300.0)
        await self._load(warm_up_seconds, "warm-up")
        answer = await self._checked()
        self.before = census(self.server_pid)
        await self._load(seconds - warm_up_seconds, "load")
        if await self._checked() != answer:
            self._note("the same greedy request has another answer than before")
        self.after = census(self.server_pid)
        self.faults += self.before.losses(self.after)

    async def _load(self, seconds: float, phase: str) -> None:
        deadline = time.monotonic() + seconds
        draws = [random.Random(f"{self.seed}/{phase}/{number}") for number in range(self.clients)]
        await asyncio.gather(*(self._client(draw, deadline) for draw in draws))

    async def _client(self, draw: random.Random, deadline: float) -> None:
        while time.monotonic() < deadline:
            ask = draw_ask(draw)
            async with Client(self.url, api_key=ask.key, timeout_seconds=120.0) as client:
                await self._sent(client, ask)

    async def _sent(self, client: Client, ask: Ask) -> None:
        record = Record(time.perf_counter())
        try:
            async with asyncio.timeout(ask.patience_seconds):
                await client.post(ask.path, dict(ask.body), record)
        except TimeoutError:
            self.counts[ask.kind, "hung up"] += 1
            return
        self._judge(ask, record)

    def _judge(self, ask: Ask, record: Record) -> None:
        status = _status(record)
        self.counts[ask.kind, str(status or "broken")] += 1
        if status is None or not ask.allows(status):
            self._note(f"{ask.kind}: {record.error or 'HTTP 200'}")
        elif status == 200 and not b"".join(part for _, part in record.arrivals).endswith(ask.ending):
            self._note(f"{ask.kind}: the answer does not end with {ask.ending!r}")

    async def _checked(self) -> str:
        """In silence: one request may use all of the context, and a greedy one has the answer that is returned."""
        await asyncio.sleep(_QUIET_SECONDS)
        async with Client(self.url, api_key=KEYS[0], timeout_seconds=_PATIENCE_AT_THE_END_SECONDS) as client:
            messages = [{"role": "user", "content": text_of(CONTEXT_TOKENS // 6, f"whole context {time.time_ns()}")}]
            await self._answer(client, messages, 8)
            answer = await self._answer(client, [{"role": "user", "content": "Hello! Who are you?"}], 64)
            await asyncio.sleep(_QUIET_SECONDS)
            for fault in unfinished((await client.get("/v1/slots")).get("models", [])):
                self._note(fault)
        return answer

    async def _answer(self, client: Client, messages: list[JsonObject], max_tokens: int) -> str:
        options = {"temperature": 0, "max_tokens": max_tokens, "stream": False}
        record = await client.post("/v1/chat/completions", {"model": CHAT_MODEL, "messages": messages, **options})
        record.finish()
        if record.error:
            self._note(f"in silence: {record.error}")
        return record.text

    def _note(self, fault: str) -> None:
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(fault)


def _status(record: Record) -> int | None:
    """The answer's status; None where there was no whole answer."""
    if record.error is None:
        return 200
    word, _, rest = record.error.partition(" ")
    return int(rest[:3]) if word == "HTTP" else None
