"""Beginning and ending generations for a request: the client is watched meanwhile, and the log line gets its counts.

Owns running several generations as one. Must not know a dialect.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Self, TypeVar

from engine import Finished, Generation, GenerationEvent, GenerationRequest, GenerationResult
from handlers.context import Call
from handlers.streaming import whole

T = TypeVar("T")


async def begin(call: Call[Any], request: GenerationRequest) -> Generation:
    """A generation whose prompt is admitted. Every refusal has been raised by then."""
    return (await begin_all(call, (request,)))[0]


async def begin_all(call: Call[Any], requests: Sequence[GenerationRequest]) -> Sequence[Generation]:
    """A generation for each request; all of them are given up as soon as one is refused."""
    call.record.model = requests[0].model
    begun = await whole(call, _together((call.engine.generate(request) for request in requests), Generation.close))
    call.record.prompt_tokens = sum(generation.prompt_tokens for generation in begun)
    return begun


async def finish(call: Call[Any], generation: Generation) -> GenerationResult:
    """The whole result. The generation ends when the client leaves."""
    return (await finish_all(call, (generation,)))[0]


async def finish_all(call: Call[Any], generations: Sequence[Generation]) -> Sequence[GenerationResult]:
    """The whole results, in the order of the generations. The first failure ends all."""
    results = await whole(call, _together(generation.result() for generation in generations))
    call.record.completion_tokens = sum(result.usage.completion_tokens for result in results)
    return results


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
            self._record.completion_tokens = (self._record.completion_tokens or 0) + event.usage.completion_tokens
        return event


class Merged:
    """The events of several generations as they happen, each with its generation's number. Closing it closes them all."""

    def __init__(self, call: Call[Any], generations: Sequence[Generation]) -> None:
        self._generations = generations
        self._sources = [Noted(call, generation) for generation in generations]
        self._waiting: dict[asyncio.Task[GenerationEvent], int] = {}
        self._begun = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[int, GenerationEvent]:
        """The next event of any of them, and whose. A failure of one is raised here."""
        if not self._begun:
            self._begun = True
            for number in range(len(self._sources)):
                self._await_next(number)
        if not self._waiting:
            raise StopAsyncIteration
        done, _ = await asyncio.wait(self._waiting, return_when=asyncio.FIRST_COMPLETED)
        task = next(iter(done))
        number, event = self._waiting.pop(task), task.result()
        if not isinstance(event, Finished):
            self._await_next(number)
        return number, event

    async def aclose(self) -> None:
        """Give up what is not finished. Idempotent."""
        await _cancel(self._waiting)
        for generation in self._generations:
            generation.close()

    def _await_next(self, number: int) -> None:
        self._waiting[asyncio.create_task(self._sources[number].__anext__())] = number


async def _together(work: Iterable[Coroutine[Any, Any, T]], undo: Callable[[T], None] | None = None) -> list[T]:
    """All results in order; or the first failure, when the rest has been cancelled and what was done is undone."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        await _cancel(tasks)
        for task in tasks:
            if undo is not None and not task.cancelled() and task.exception() is None:
                undo(task.result())
        raise


async def _cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel what still runs and wait for its end; failures that nobody waits for any more are dropped."""
    each = tuple(tasks)
    for task in each:
        task.cancel()
    await asyncio.gather(*each, return_exceptions=True)
