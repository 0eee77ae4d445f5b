"""Beginning and ending generations for a request: the client is watched meanwhile, and the log line gets its counts.

Owns running several generations as one. Must not know a dialect.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Self, TypeVar

import msgspec

from engine import Finished, Generation, GenerationEvent, GenerationRequest, GenerationResult
from handlers.context import MOST_IGNORED, Call, RequestRecord
from handlers.errors import ApiError, naming
from handlers.streaming import whole
from handlers.tenants import for_tenant
from handlers.wire.refusal import UNSUPPORTED_PARAMETER

T = TypeVar("T")

AT_ONCE = 32
"""How many generations of one request the engine has at a time, so that a long list of prompts leaves others their turn."""


async def begin(call: Call[Any], request: GenerationRequest, names: Mapping[str, str] | None = None) -> Generation:
    """A generation whose prompt is admitted. Every refusal has been raised by then.

    `names`: the dialect's names for the parts of a request that the engine's refusals name.
    """
    call.record.model = request.model
    with naming(names or {}):
        generation = await whole(call, call.engine.generate(_for_tenant(call, request)))
    call.record.prompt_tokens = generation.prompt_tokens
    if generation.unused:
        _note_unused(call, generation, names or {})
    return generation


def _note_unused(call: Call[Any], generation: Generation, names: Mapping[str, str]) -> None:
    """Names what the model's template has no use for beside the keys that no document knows, and is as strict about it."""
    unused = []
    for path in generation.unused:
        field, dot, rest = path.partition(".")
        unused.append(f"{names.get(field, field)}{dot}{rest}")
    if call.config.strict:
        generation.close()
        message = f"{unused[0]}: the model's chat template has no use for it"
        raise ApiError(400, message, param=unused[0], code=UNSUPPORTED_PARAMETER)
    call.record.ignored = [*call.record.ignored, *unused][:MOST_IGNORED]


async def finish(call: Call[Any], generation: Generation) -> GenerationResult:
    """The whole result. The generation ends when the client leaves."""
    result = await whole(call, generation.result())
    call.record.completion_tokens = result.usage.completion_tokens
    return result


async def results(call: Call[Any], requests: Sequence[GenerationRequest]) -> Sequence[GenerationResult]:
    """The whole result of each request, in order. The first failure ends all, and so does the client's leaving."""
    call.record.model = requests[0].model
    gate = asyncio.Semaphore(AT_ONCE)

    async def result(number: int) -> GenerationResult:
        async with gate:
            return await (await _begun(call, requests, number)).result()

    each = await whole(call, _together(map(result, range(len(requests)))))
    for one in each:
        _add_prompt(call.record, one.usage.prompt_tokens)
        _add_completion(call.record, one.usage.completion_tokens)
    return each


class Noted:
    """A generation's events as they pass; the last one's token counts go to the request's log line."""

    def __init__(self, call: Call[Any], generation: Generation) -> None:
        self._record = call.record
        self._generation = generation

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> GenerationEvent:
        """The next event."""
        event = await anext(self._generation)
        if isinstance(event, Finished):
            _add_completion(self._record, event.usage.completion_tokens)
        return event


class Merged:
    """The events of several generations as they happen, each with its request's number. Closing it ends them all."""

    def __init__(self, call: Call[Any], requests: Sequence[GenerationRequest]) -> None:
        call.record.model = requests[0].model
        self._call = call
        self._requests = requests
        self._unbegun = deque(range(len(requests)))
        self._begun: list[Generation] = []
        self._waiting: dict[asyncio.Task[tuple[Noted, GenerationEvent]], int] = {}

    async def begin(self) -> None:
        """Have the first generations admitted. A refusal of one is raised here, when all have been given up."""
        first = [self._unbegun.popleft() for _ in range(min(AT_ONCE, len(self._unbegun)))]
        generating = (_begun(self._call, self._requests, number, await_place=False) for number in first)
        begun = await whole(self._call, _together(generating, Generation.close))
        for number, generation in zip(first, begun, strict=True):
            self._await(number, _next(self._admit(generation)))

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[int, GenerationEvent]:
        """The next event of any of them, and whose. A failure of one is raised here."""
        if not self._waiting:
            raise StopAsyncIteration
        done, _ = await asyncio.wait(self._waiting, return_when=asyncio.FIRST_COMPLETED)
        task = next(iter(done))
        number, (source, event) = self._waiting.pop(task), task.result()
        if not isinstance(event, Finished):
            self._await(number, _next(source))
        elif self._unbegun:
            following = self._unbegun.popleft()
            self._await(following, self._first_event(following))
        return number, event

    async def aclose(self) -> None:
        """Give up what is not finished. Idempotent."""
        try:
            await _cancel(self._waiting)
        finally:
            for generation in self._begun:
                generation.close()

    async def _first_event(self, number: int) -> tuple[Noted, GenerationEvent]:
        return await _next(self._admit(await _begun(self._call, self._requests, number)))

    def _admit(self, generation: Generation) -> Noted:
        self._begun.append(generation)
        _add_prompt(self._call.record, generation.prompt_tokens)
        return Noted(self._call, generation)

    def _await(self, number: int, event: Coroutine[Any, Any, tuple[Noted, GenerationEvent]]) -> None:
        self._waiting[asyncio.create_task(event)] = number


async def _begun(
    call: Call[Any], requests: Sequence[GenerationRequest], number: int, *, await_place: bool = True
) -> Generation:
    """The generation of one of `requests`; of several prompts, a refusal says which it is about."""
    with naming({"prompt": f"prompt[{number}]"} if len(requests) > 1 else {}):
        return await call.engine.generate(_for_tenant(call, requests[number]), await_place=await_place)


def _for_tenant(call: Call[Any], request: GenerationRequest) -> GenerationRequest:
    """The request, with who it is for, and what keeps that caller's computed prompts apart from others'."""
    salt = "" if call.config.share_prefixes else call.record.tenant
    return msgspec.structs.replace(for_tenant(call, request), cache_salt=f"{salt}:{request.cache_salt}")


async def _next(source: Noted) -> tuple[Noted, GenerationEvent]:
    return source, await anext(source)


def _add_prompt(record: RequestRecord, tokens: int) -> None:
    record.prompt_tokens = (record.prompt_tokens or 0) + tokens


def _add_completion(record: RequestRecord, tokens: int) -> None:
    record.completion_tokens = (record.completion_tokens or 0) + tokens


async def _together(work: Iterable[Coroutine[Any, Any, T]], undo: Callable[[T], None] | None = None) -> list[T]:
    """All results in order; or the first failure, when the rest has been cancelled and what was done is undone."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            if undo is not None:
                # Not behind the wait below, which a client's leaving may cut short.
                task.add_done_callback(partial(_undone, undo))
        await _cancel(tasks)
        raise


def _undone(undo: Callable[[T], None], task: asyncio.Task[T]) -> None:
    if not task.cancelled() and task.exception() is None:
        undo(task.result())


async def _cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel what still runs and wait for its end; failures that nobody waits for any more are dropped."""
    each = tuple(tasks)
    for task in each:
        task.cancel()
    await asyncio.gather(*each, return_exceptions=True)
