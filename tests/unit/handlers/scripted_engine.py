"""An engine that plays scripts, and the whole application on it: what the HTTP side's tests share."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx

from engine import (
    CacheActivity,
    ChoiceFinished,
    EmbeddingResult,
    EngineError,
    Finished,
    Generation,
    GenerationRequest,
    Histogram,
    LoadedEntry,
    ModelActivity,
    ModelEntry,
    RequestCounts,
    SlotActivity,
    StepSeconds,
    TextDelta,
    Timings,
    TokenCounts,
    TokenizeResult,
    Usage,
    WorkerActivity,
)
from handlers.app import create_app
from handlers.config import ServerConfig
from handlers.security import ApiKeys
from tests.unit.handlers.wire.scripted import entry

HELLO: tuple[Any, ...] = (
    TextDelta(index=0, text="Hello"),
    TextDelta(index=0, text=" there"),
    ChoiceFinished(index=0, finish_reason="stop", completion_tokens=2),
    Finished(usage=Usage(prompt_tokens=3, completion_tokens=2), timings=Timings()),
)


ACTIVITY = ModelActivity(
    model="demo",
    state="ready",
    open_requests=2,
    awaiting_load=0,
    loads=2,
    deaths=1,
    counts=RequestCounts(
        outcomes={"finished": 3, "queue_full": 1},
        duration_seconds=Histogram(bounds=(1.0, 10.0), counts=[1, 2, 0], sum=9.0),
        first_token_seconds=Histogram(bounds=(1.0,)),
        queue_seconds=Histogram(bounds=(1.0,)),
    ),
    worker=WorkerActivity(
        running=1,
        waiting=1,
        kv_tokens=30,
        kv_capacity_tokens=512,
        slots=(
            SlotActivity(number=0, state="prompt", tokens=20, request=7, index=0, prompt_tokens=40),
            SlotActivity(number=1, state="cached", tokens=10),
        ),
        caches=(
            CacheActivity(name="prefix_memory", entries=2, size_bytes=900, limit_bytes=1000, hits=3, misses=4),
            CacheActivity(name="prefix_disk", entries=5, size_bytes=6000, limit_bytes=9000, hits=0, misses=1),
        ),
        tokens=TokenCounts(prompt=100, cached=50, completion=25),
        step_seconds=StepSeconds(schedule=0.5, decode=8.0, sample=1.0, emit=0.5),
        step_tokens=Histogram(bounds=(1, 512), counts=[20, 5, 0], sum=125.0),
    ),
)


class Source:
    """Where a generation's events come from: a script, after which it stays silent. Exceptions in it are raised."""

    def __init__(self, script: Sequence[Any]) -> None:
        self._script = list(script)
        self.closed = asyncio.Event()

    async def next_event(self) -> Any:
        await asyncio.sleep(0)
        if not self._script:
            await asyncio.Event().wait()
        event = self._script.pop(0)
        if isinstance(event, Exception):
            raise event
        return event

    def close(self) -> None:
        self.closed.set()


class ScriptedEngine:
    """Answers every generation with the same script; `refusal` is raised instead where it is set."""

    def __init__(self, script: Sequence[Any] = HELLO, *, refusal: Exception | None = None) -> None:
        self.sources: list[Source] = []
        self.requests: list[GenerationRequest] = []
        self.ready = True
        self.preloads = ("demo",)
        self.preload_errors: dict[str, str] = {}
        self._script = script
        self._refusal = refusal

    def models(self) -> list[ModelEntry]:
        return [entry("demo")]

    def model(self, name: str) -> ModelEntry:
        if name != "demo":
            raise EngineError("model_not_found", f"the model {name!r} does not exist", param="model")
        return entry(name)

    def loaded(self) -> list[LoadedEntry]:
        return []

    async def activity(self) -> list[ModelActivity]:
        return [ACTIVITY]

    async def generate(self, request: GenerationRequest, *, await_place: bool = True) -> Generation:
        self.requests.append(request)
        if self._refusal is not None:
            raise self._refusal
        self.sources.append(Source(self._script))
        return Generation(self.sources[-1], prompt_tokens=3, load_ns=0)

    async def embed(self, request: Any) -> EmbeddingResult:
        raise self._refusal or AssertionError(request)

    async def tokenize(self, request: Any) -> TokenizeResult:
        return TokenizeResult(tokens=tuple(range(len(request.text))))


def application(engine: Any = None, keys: Sequence[str] = (), **settings: Any) -> Any:
    """The whole application; it checks its own answers."""
    config = ServerConfig(**({"validate_responses": True} | settings))
    return create_app(config, engine or ScriptedEngine(), ApiKeys(keys))


def client(app: Any = None, **settings: Any) -> httpx.AsyncClient:
    """A client of `app`, or of a new application with `settings`."""
    transport = httpx.ASGITransport(app=app or application(**settings))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


def chat(**fields: Any) -> dict[str, Any]:
    """A chat request's body."""
    return {"model": "demo", "messages": [{"role": "user", "content": "Hello!"}]} | fields
