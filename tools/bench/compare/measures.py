"""How the rows are measured: each function puts one kind of work on a running server and returns its figures.

Must not know which server it is, or what the figures are held against. Prompts are new in every case and round, so that nothing is
reused but what a row shares on purpose. Every request carries the same sampling parameters.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain, pairwise
from typing import Any

from tools.bench.client import Client
from tools.bench.compare.servers import Server
from tools.bench.compare.verdict import Figures
from tools.bench.load import run_round
from tools.bench.record import Record
from tools.bench.summary import summarize
from tools.bench.workload import EXAMPLE_SCHEMA, JsonObject, PromptScale, Requests, Workload, text_of

SAMPLING: JsonObject = {"temperature": 0.8, "top_k": 40, "top_p": 0.95, "min_p": 0.05}
GREEDY: JsonObject = {"temperature": 0.0}


class RequestFailed(Exception):
    """A request of the measurement failed: the row has no figures on this server."""


@dataclass
class Session:
    """One round on one server. `details` gathers what stands behind the figures, `notes` what a reader of them must know."""

    server: Server
    client: Client
    model: str
    scale: PromptScale
    round_number: int
    is_quick: bool = False
    details: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def repetitions(self, count: int) -> int:
        """So many, or a single one in a quick run."""
        return 1 if self.is_quick else count


Measure = Callable[[Session], Awaitable[Figures]]


async def under_load(session: Session, case: str, workload: Workload) -> dict[str, Any]:
    """The summary of one workload; another case has other prompts. Some failures are noted, and a request that failed counts as as long as
    the others, in the server's favour; raises RequestFailed when more than a quarter fail.
    """
    workload = replace(workload, seed=case)
    requests = Requests(workload, session.scale, session.model, round_number=session.round_number)
    summary = summarize([await run_round(session.client, workload, requests)])
    session.details[case] = summary
    failed, requests_sent = summary["failed"], summary["requests"]
    if failed:
        note = f"{case}: {failed} of {requests_sent} requests failed: {summary['errors'][0]}"
        if failed > requests_sent / 4:
            raise RequestFailed(note)
        session.notes.append(note)
        summary["tokens_per_second"] *= requests_sent / (requests_sent - failed)
    return summary


def decoding(clients: Sequence[int], *, per_client: int, alone: int) -> Measure:
    """Tokens per second of plain streams for each number of clients; at the middle number once more without sampling.

    A client sends `per_client` requests one after the other, a single one `alone`.
    """
    greedy_clients = clients[len(clients) // 2]

    async def measure(session: Session) -> Figures:
        figures = {}
        for count, sampling in [*((count, SAMPLING) for count in clients), (greedy_clients, GREEDY)]:
            case = f"{counted(count)}{', greedy' if sampling is GREEDY else ''}"
            requests = count * session.repetitions(alone if count == 1 else per_client)
            workload = Workload(clients=count, requests=requests, sampling=sampling)
            figures[case] = (await under_load(session, case, workload))["tokens_per_second"]
        return figures

    return measure


def counted(clients: int) -> str:
    """The name of a case with so many clients."""
    return f"{clients} client{'s' if clients > 1 else ''}"


async def shared_prefix(session: Session) -> Figures:
    """Eight clients come at once with a system prompt that nobody has computed yet."""
    workload = Workload(
        clients=8,
        requests=8,
        prompt_tokens=40,
        completion_tokens=32,
        shared_prefix_tokens=400,
        sampling=SAMPLING,
    )
    summary = await under_load(session, "shared", workload)
    return {"throughput": summary["tokens_per_second"], "worst TTFT": summary["ttft_seconds"]["worst"] * 1e3}


async def structured(session: Session) -> Figures:
    """JSON by a schema, whole answers; then plain answers as long as those were on average."""
    figures = {}
    for clients in (1, 8):
        case = counted(clients)
        constrained = Workload(
            clients=clients,
            requests=clients * session.repetitions(4),
            completion_tokens=400,
            stream=False,
            schema=EXAMPLE_SCHEMA,
            sampling=SAMPLING,
        )
        summary = await under_load(session, case, constrained)
        figures[case] = summary["tokens_per_second"]
        length = max(1, summary["completion_tokens"] // summary["requests"])
        plain = replace(constrained, schema=None, completion_tokens=length)
        figures[f"{case}, plain"] = (await under_load(session, f"{case}, plain", plain))["tokens_per_second"]
    return figures


async def long_prompt(session: Session) -> Figures:
    """A stream runs, then a long prompt comes in; the stream is hung up when the long prompt has its first token."""
    workload = Workload(completion_tokens=3500, long_prompt_tokens=3000, sampling=SAMPLING, seed="long")
    requests = Requests(workload, session.scale, session.model, round_number=session.round_number)
    running = Record(time.perf_counter())
    stream = asyncio.create_task(session.client.chat(requests.body(0), running))
    while len(running.piece_times) < 16 and not stream.done():
        await asyncio.sleep(0.02)
        running.read()
    arriving = await session.client.chat(requests.long_prompt_body())
    stream.cancel()
    with suppress(asyncio.CancelledError):
        await stream
    arriving.finish()
    running.read()
    if arriving.error or running.error or not arriving.piece_times:
        raise RequestFailed(str(arriving.error or running.error or "no answer"))
    begun, answered = arriving.started, arriving.piece_times[0]
    gaps = _gaps(running.piece_times, begun, answered)
    session.details["long"] = {"prompt_tokens": arriving.prompt_tokens, "pieces_meanwhile": len(gaps)}
    return {"worst gap": max(gaps) * 1e3, "long prompt's TTFT": (answered - begun) * 1e3}


def _gaps(times: Sequence[float], since: float, until: float) -> list[float]:
    """Silences that overlap the time between; a stream that said nothing more was silent until its end."""
    padded = [*times, max(until, times[-1])]
    return [later - earlier for earlier, later in pairwise(padded) if later > since and earlier < until]


async def conversation(session: Session) -> Figures:
    """Eight turns, each with all that was said before; the mean time to the first token from the second turn on."""
    waits: list[float] = []
    for number in range(session.repetitions(2)):
        messages: list[JsonObject] = []
        for turn in range(8):
            text = text_of(session.scale.words(60), f"turn {session.round_number}/{number}/{turn}")
            messages.append({"role": "user", "content": text})
            record = await session.client.chat(_turn(session.model, messages))
            record.finish()
            if record.error or not record.piece_times:
                raise RequestFailed(record.error or "no answer")
            messages.append({"role": "assistant", "content": record.text})
            if turn:
                waits.append(record.piece_times[0] - record.started)
            session.details[f"turn {turn + 1}"] = [record.prompt_tokens, record.cached_tokens]
    return {"TTFT": sum(waits) / len(waits) * 1e3}


def _turn(model: str, messages: Sequence[JsonObject]) -> JsonObject:
    options = {"stream": True, "stream_options": {"include_usage": True}, "max_tokens": 32, "ignore_eos": True}
    return {"model": model, "messages": list(messages), **options, **GREEDY}


async def embeddings(session: Session) -> Figures:
    """256 texts of 20 to 200 tokens: in requests of 32 by four clients at a time, and one a request by eight."""
    texts = [
        text_of(session.scale.words(20 + 180 * number // 255), f"{session.round_number}/{number}")
        for number in range(256)
    ]
    figures = {}
    for clients, size in ((4, 32), (8, 1)):
        batches = iter([texts[start :: 256 // size] for start in range(256 // size)])
        start = time.perf_counter()
        answered = await asyncio.gather(*(_embed(session, batches) for _ in range(clients)))
        elapsed = time.perf_counter() - start
        for record in chain.from_iterable(answered):
            record.finish()
            if record.error:
                raise RequestFailed(record.error)
        figures[f"{size} texts a request" if size > 1 else "1 text a request"] = len(texts) / elapsed
    return figures


async def _embed(session: Session, batches: Iterator[list[str]]) -> list[Record]:
    return [await session.client.post("/embeddings", {"model": session.model, "input": batch}) for batch in batches]


async def memory(session: Session) -> Figures:
    """Resident memory in MB after one request, and the most while eight clients stream."""
    idle = session.server.memory_bytes()
    workload = Workload(clients=8, requests=8 * session.repetitions(3), sampling=SAMPLING)
    load = asyncio.create_task(under_load(session, "8 clients", workload))
    peak = idle
    while not load.done():
        await asyncio.wait([load], timeout=0.5)
        peak = max(peak, session.server.memory_bytes())
    await load
    return {"idle": idle / 1e6, "8 clients": peak / 1e6}
