"""The engine as the server holds it: a catalogue of models and a pool of workers behind a few awaitable calls.

Owns start and end, and the way of each request through catalogue, pool and worker. Must not know HTTP, a dialect, or
llama.cpp.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from engine.activity import ModelActivity
from engine.config import EngineConfig
from engine.errors import CatalogError, EngineError
from engine.events import (
    ApplyTemplateResult,
    DetokenizeResult,
    EmbeddingResult,
    Event,
    Preparing,
    RerankResult,
    Started,
    TokenizeResult,
)
from engine.generation import Generation, timings_with_load
from engine.host.aliases import Aliases, Named
from engine.host.catalog import Catalog, ModelEntry
from engine.host.digests import Digests
from engine.host.lease import Lease
from engine.host.pool import Pool
from engine.host.process import WORKER_COMMAND
from engine.host.room import NO_WISH, Room, check_wish, refuse, room_of, wanted_room
from engine.protocol import LoadedModel, size_bytes
from engine.request import (
    ApplyTemplateRequest,
    DetokenizeRequest,
    EmbeddingRequest,
    GenerationRequest,
    Request,
    RerankRequest,
    TokenizeRequest,
)

logger = logging.getLogger(__name__)

_DEFAULT_MAX_LOADED_MODELS = 3
_ACTIVITY_SECONDS = 1.0
_MAX_SHOWN_CHARACTERS = 100
_Result = TypeVar("_Result", bound=Event)
_Waited = TypeVar("_Waited")
AnyRequest = TypeVar("AnyRequest", bound=Request)


@dataclass(frozen=True, slots=True)
class LoadedEntry:
    """A model with a live worker. `expires_at`: when it is unloaded unless used, unix seconds; None: never."""

    name: str
    entry: ModelEntry
    model: LoadedModel
    expires_at: float | None
    active_requests: int


class Engine:
    """Generates and embeds with the models of `config`. Between `start()` and `aclose()` every call may run concurrently
    with every other; each failure is an EngineError. `worker_command` is what starts a worker."""

    def __init__(self, config: EngineConfig, *, worker_command: tuple[str, ...] = WORKER_COMMAND) -> None:
        self.preload_errors: dict[str, str] = {}
        self._catalog = Catalog(config.models, config.load_of)
        self._aliases = Aliases(self._catalog, config)
        self._preload = config.preload if config.preload is not None else self._files_to_keep(config)
        self._own_loads = tuple(config.own_loads)
        self._loaded_once: set[str] = set()
        self._preloading: set[asyncio.Task[None]] = set()
        self._digests = Digests(config.cache_dir / "digests" if config.cache_dir else None)
        self._load_of = config.load_of
        self._queue_timeout_seconds = config.queue_timeout_seconds
        self._started = False
        kept = frozenset(self._preload)
        self._pool = Pool(config, max_workers=_max_workers(config, kept), kept=kept, command=worker_command)

    def __repr__(self) -> str:
        return f"<Engine {'ready' if self.ready else 'not ready'} {self._pool!r}>"

    def _files_to_keep(self, config: EngineConfig) -> tuple[str, ...]:
        return tuple(name for name in self._catalog.file_names if name not in config.on_demand)

    async def start(self) -> None:
        """Find the models and begin to load those that are to stay. Raises CatalogError where a named one is unusable."""
        self._check_templates()
        await asyncio.to_thread(self._catalog.scan)
        for name in self._preload:
            if self._catalog.find(name) is None:
                raise CatalogError(f"the model {name!r} is to be loaded at start, but {self._known_names()}")
        for name in self._own_loads:
            if self._catalog.find(name) is None:
                raise CatalogError(f"there are settings for a model {name!r}, but {self._known_names()}")
        self._aliases.check()
        self._started = True
        for name in self._preload:
            task = asyncio.create_task(self._preload_one(name), name=f"preload of {name}")
            self._preloading.add(task)
            task.add_done_callback(self._preloading.discard)

    def _check_templates(self) -> None:
        everyones = ("all models", self._load_of(""))
        loads = [everyones, *((name, self._load_of(name)) for name in self._own_loads)]
        for whose, load in loads:
            if load.chat_template is not None:
                _check_template(whose, load.chat_template)

    async def aclose(self) -> None:
        """End all workers; what runs or waits fails with shutting_down. Idempotent."""
        await self._pool.aclose()
        if self._preloading:
            await asyncio.wait(self._preloading)

    @property
    def ready(self) -> bool:
        """Whether every model named at start has been loaded."""
        return self._started and self._loaded_once.issuperset(self._preload)

    @property
    def preloads(self) -> tuple[str, ...]:
        """The models named at start: they are loaded at once and stay."""
        return tuple(self._preload)

    def models(self) -> list[ModelEntry]:
        """Every model that can be asked for, by name."""
        return self._aliases.models()

    def model(self, name: str) -> ModelEntry:
        """The model of this name; `name:latest` is the same. Raises EngineError model_not_found, naming those there are."""
        return self._named(name).shown

    def _named(self, name: str) -> Named:
        named = self._aliases.find(name)
        if named is None:
            raise EngineError(
                "model_not_found", f"the model {_shown(name)} does not exist; {self._known_names()}", param="model"
            )
        return named

    async def digest(self, name: str) -> str:
        """The SHA-256 of the model's file in hex; computed once."""
        return await self._digests.digest(self.model(name))

    def loaded(self) -> list[LoadedEntry]:
        """The models that are loaded now."""
        return [
            LoadedEntry(worker.name, worker.entry, worker.connection.model, worker.expires_at, worker.active_requests)
            for worker in self._pool.ready_workers()
            if worker.connection is not None
        ]

    async def activity(self) -> list[ModelActivity]:
        """What goes on with each model that was asked for."""
        return await self._pool.activity(_ACTIVITY_SECONDS)

    async def load(self, name: str, keep_alive_seconds: float | None = None) -> LoadedModel:
        """Have the model loaded, and its keep-alive start anew. Raises EngineError model_load_failed."""
        return await self._load(name, keep_alive_seconds, NO_WISH)

    async def load_for(self, request: GenerationRequest | EmbeddingRequest) -> LoadedModel:
        """`load()` the request's model as it would for the request: with its keep-alive, and the context that it asks for."""
        return await self._load(request.model, request.keep_alive_seconds, wanted_room(request))

    async def _load(self, name: str, keep_alive_seconds: float | None, room: Room) -> LoadedModel:
        lease = await self._acquire(name, keep_alive_seconds, room, int)
        lease.close()
        return lease.model

    async def unload(self, name: str) -> None:
        """Unload the model: at once where it is idle, else when its running requests have ended, without waiting for them."""
        ended = self._pool.retire(self._named(name).entry.name)
        if ended is not None:
            await asyncio.shield(ended)

    async def generate(self, request: GenerationRequest, *, await_place: bool = True) -> Generation:
        """Begin a generation. Every refusal has been raised when it returns, and with `await_place` the request has waited for its
        place in the model: queue_timeout is raised where that takes longer than the settings allow."""
        lease = await self._acquire_for(request, request.keep_alive_seconds)
        try:
            lease.submit(self._adapted(request))
            started = await self._prepared(lease, request)
            if await_place:
                await self._in_time(lease, lease.admitted())
        except BaseException:
            lease.close()
            raise
        return Generation(lease, prompt_tokens=started.prompt_tokens, load_ns=lease.load_ns, unused=started.unused)

    async def _prepared(self, lease: Lease, request: GenerationRequest) -> Started:
        """When the request is prepared. Pictures and sounds wait for their turn before that, as long as the settings allow."""
        if not request.media:
            return _expect(await lease.next_event(), Started)
        event = await self._in_time(lease, lease.next_event())
        return _expect(await lease.next_event() if isinstance(event, Preparing) else event, Started)

    async def _in_time(self, lease: Lease, waiting: Awaitable[_Waited]) -> _Waited:
        """What a request waits for. Raises EngineError queue_timeout."""
        try:
            async with asyncio.timeout(self._queue_timeout_seconds):
                return await waiting
        except TimeoutError:
            lease.fail("queue_timeout")
            raise self._pool.timed_out(lease.worker_name) from None

    async def embed(self, request: EmbeddingRequest) -> EmbeddingResult:
        """The vectors of all inputs."""
        result, load_ns = await self._ask(request, request.keep_alive_seconds, EmbeddingResult)
        return msgspec.structs.replace(result, timings=timings_with_load(result.timings, load_ns))

    async def rerank(self, request: RerankRequest) -> RerankResult:
        """How well each document answers the query."""
        return (await self._ask(request, None, RerankResult))[0]

    async def tokenize(self, request: TokenizeRequest) -> TokenizeResult:
        """The tokens of a text."""
        return (await self._ask(request, None, TokenizeResult))[0]

    async def detokenize(self, request: DetokenizeRequest) -> DetokenizeResult:
        """The text of tokens."""
        return (await self._ask(request, None, DetokenizeResult))[0]

    async def apply_template(self, request: ApplyTemplateRequest) -> ApplyTemplateResult:
        """The prompt that the model's template makes of a conversation."""
        return (await self._ask(request, None, ApplyTemplateResult))[0]

    def _adapted(self, request: AnyRequest) -> AnyRequest:
        """The request with the adapters that its model's name stands for, unless it names its own."""
        if not isinstance(request, GenerationRequest | EmbeddingRequest | RerankRequest) or request.lora is not None:
            return request
        lora = self._named(request.model).lora
        return request if lora is None else msgspec.structs.replace(request, lora=lora)

    async def _acquire_for(self, request: Request, keep_alive_seconds: float | None) -> Lease:
        room = wanted_room(request)
        return await self._acquire(request.model, keep_alive_seconds, room, lambda: size_bytes(request))

    async def _acquire(self, name: str, keep_alive_seconds: float | None, room: Room, size: Callable[[], int]) -> Lease:
        """A place in a worker with as much context as the request wants. Raises EngineError where it can't have that."""
        entry = self._named(name).entry
        check_wish(room, entry.metadata, self._load_of(entry.name))
        lease = await self._pool.acquire(entry, keep_alive_seconds, room, size)
        self._loaded_once.add(entry.name)
        self.preload_errors.pop(entry.name, None)
        had = room_of(lease.model)
        if not room.is_within(had):
            lease.close()
            raise refuse(room, had, "this model takes no more")
        return lease

    async def _ask(
        self, request: Request, keep_alive_seconds: float | None, kind: type[_Result]
    ) -> tuple[_Result, int]:
        """A request that one event answers, and how long it waited for its model."""
        lease = await self._acquire_for(request, keep_alive_seconds)
        try:
            lease.submit(self._adapted(request))
            if isinstance(request, EmbeddingRequest | RerankRequest):
                await self._in_time(lease, lease.admitted())
            return _expect(await lease.next_event(), kind), lease.load_ns
        finally:
            lease.close()

    async def _preload_one(self, name: str) -> None:
        try:
            await self.load(name)
        except EngineError as error:
            self.preload_errors[name] = error.message
            logger.error("%s", error.message)

    def _known_names(self) -> str:
        names = ", ".join(entry.name for entry in self._aliases.models())
        return f"the models here are: {names}" if names else "there are no models here"


def _shown(name: str) -> str:
    return repr(name) if len(name) <= _MAX_SHOWN_CHARACTERS else f"{name[:_MAX_SHOWN_CHARACTERS]!r}..."


def _expect(event: Event | None, kind: type[_Result]) -> _Result:
    if not isinstance(event, kind):
        raise EngineError("internal", f"the worker answered {type(event).__name__}, not {kind.__name__}")
    return event


def _max_workers(config: EngineConfig, kept: frozenset[str]) -> int:
    """Raises CatalogError where the setting leaves no room for the models that are to stay."""
    if config.max_loaded_models is None:
        return max(_DEFAULT_MAX_LOADED_MODELS, len(kept))
    if config.max_loaded_models < max(1, len(kept)):
        message = f"{len(kept)} models are to stay loaded, but max_loaded_models is {config.max_loaded_models}"
        raise CatalogError(message if kept else "max_loaded_models must be at least 1")
    return config.max_loaded_models


def _check_template(whose: str, source: str) -> None:
    from engine.chat.prompts.template import TemplateError  # noqa: PLC0415 - Jinja takes its time, and few operators set a template
    from engine.chat.prompts.templates import model_template  # noqa: PLC0415 - as above

    try:
        model_template(source)
    except TemplateError as error:
        raise CatalogError(f"the chat template that is set for {whose} is broken: {error}") from error
