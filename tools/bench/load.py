"""Puts a workload on a server: so many clients, each with one request at a time, until all requests are answered.

Owns concurrency and the clock. Must not know how answers travel or how results are shown.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import uvloop

from tools.bench.client import Client, ServerUnusable
from tools.bench.record import Record
from tools.bench.workload import JsonObject, PromptScale, Requests, Workload, scale_from, text_of

T = TypeVar("T")
_PROBE_WORDS = (10, 60)


@dataclass
class Round:
    """One run of a workload on one server. `generator_seconds` is the processor time that this program itself took."""

    records: list[Record]
    wall_seconds: float
    generator_seconds: float
    long_prompt: Record | None = None


def in_event_loop(work: Coroutine[Any, Any, T]) -> T:
    """Runs `work` to its end in the fastest loop there is: what the generator takes, the servers do not get."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


async def prompt_scale(client: Client, model: str) -> PromptScale:
    """Measures how words become tokens of a prompt; raises ServerUnusable if the server cannot answer at all."""

    def body(text: str) -> JsonObject:
        messages = [{"role": "user", "content": text}]
        return {"model": model, "messages": messages, "max_tokens": 1, "stream": False}

    return await _scale(client, "/chat/completions", body)


async def embedding_scale(client: Client, model: str) -> PromptScale:
    """The same for texts to be embedded."""
    return await _scale(client, "/embeddings", lambda text: {"model": model, "input": text})


async def _scale(client: Client, path: str, body: Callable[[str], JsonObject]) -> PromptScale:
    probes: list[tuple[int, int]] = []
    for words in _PROBE_WORDS:
        record = await client.post(path, body(text_of(words, f"probe {words}")))
        record.finish()
        if record.error:
            raise ServerUnusable(f"the first request failed: {record.error}")
        probes.append((words, record.prompt_tokens))
    return scale_from(probes)


async def run_round(client: Client, workload: Workload, requests: Requests) -> Round:
    """One run. Every request's record is kept, the failed ones too."""
    records: list[Record] = []
    numbers = iter(range(workload.requests))
    start, processor_start = time.perf_counter(), time.process_time()
    clients = [asyncio.create_task(_client(client, requests, numbers, records)) for _ in range(workload.clients)]
    long_prompt = None
    if workload.long_prompt_tokens:
        await _all_answering(clients, records, workload.clients)
        long_prompt = await client.chat(requests.long_prompt_body())
    await asyncio.gather(*clients)
    wall_seconds, generator_seconds = time.perf_counter() - start, time.process_time() - processor_start
    for record in (*records, *([long_prompt] if long_prompt else ())):
        record.finish()
    return Round(records, wall_seconds, generator_seconds, long_prompt)


async def _client(client: Client, requests: Requests, numbers: Iterator[int], records: list[Record]) -> None:
    for number in numbers:
        body: JsonObject = requests.body(number)
        records.append(Record(time.perf_counter()))
        await client.chat(body, records[-1])


async def _all_answering(clients: list[asyncio.Task[None]], records: list[Record], count: int) -> None:
    """Waits until every client's first answer has begun, or failed."""
    while sum(_has_begun(record) for record in records) < count:
        if all(task.done() for task in clients):
            return
        await asyncio.sleep(0.01)


def _has_begun(record: Record) -> bool:
    if record.streamed or record.ended:
        record.read()
    return bool(record.piece_times or record.error)
