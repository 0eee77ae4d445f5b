"""Several generations as one request: begun together, ended together, and counted for the log line."""

import asyncio
import dataclasses
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from engine import (
    ChoiceFinished,
    EngineError,
    Finished,
    Generation,
    GenerationRequest,
    TextDelta,
    TextPrompt,
    Timings,
    Usage,
)
from handlers import generations
from handlers.context import Call, RequestRecord
from handlers.errors import ClientDisconnected

REQUESTS = [GenerationRequest(model="demo", prompt=TextPrompt(text=text)) for text in ("first", "second")]


class Source:
    """Where a generation's events come from: a script, after which it stays silent."""

    def __init__(self, script: Sequence[Any]) -> None:
        self._script = list(script)
        self.closed = False

    async def next_event(self) -> Any:
        if not self._script:
            await asyncio.Event().wait()
        event = self._script.pop(0)
        await asyncio.sleep(0)
        if isinstance(event, Exception):
            raise event
        return event

    def close(self) -> None:
        self.closed = True


class Engine:
    """Begins one scripted generation for each request; an exception in the place of a script refuses."""

    def __init__(self, *scripts: Any) -> None:
        self.sources = [script if isinstance(script, Exception) else Source(script) for script in scripts]
        self._following = iter(self.sources)
        self._begun = 0

    async def generate(self, request: GenerationRequest, *, await_place: bool = True) -> Generation:
        source = next(self._following)
        self._begun += 1
        await asyncio.sleep(0 if isinstance(source, Source) else 0.01)
        if isinstance(source, Exception):
            raise source
        return Generation(source, prompt_tokens=3, load_ns=0)

    @property
    def running(self) -> int:
        return self._begun - sum(source.closed for source in self.sources if isinstance(source, Source))

    @property
    def all_closed(self) -> bool:
        return all(source.closed for source in self.sources if isinstance(source, Source))


def answer(text: str) -> list[Any]:
    usage = Usage(prompt_tokens=3, completion_tokens=len(text))
    return [
        TextDelta(index=0, text=text),
        ChoiceFinished(index=0, finish_reason="stop", completion_tokens=len(text)),
        Finished(usage=usage, timings=Timings()),
    ]


def call_of(engine: Engine, *, leaves: bool = False) -> Call[Any]:
    async def receive() -> dict[str, Any]:
        if not leaves:
            await asyncio.Event().wait()
        await asyncio.sleep(0.02)
        return {"type": "http.disconnect"}

    record = RequestRecord("req-1", "POST", "/v1/completions")
    fields: dict[str, Any] = {
        "engine": engine,
        "config": SimpleNamespace(share_prefixes=False),
        "record": record,
        "receive": receive,
    }
    return Call(body=None, path={}, query={}, **fields)


async def merged(call: Call[Any], requests: Sequence[GenerationRequest] = REQUESTS) -> generations.Merged:
    events = generations.Merged(call, requests)
    await events.begin()
    return events


async def test_a_whole_result_is_counted_for_the_log_line() -> None:
    engine = Engine(answer("one"))
    call = call_of(engine)
    result = await generations.finish(call, await generations.begin(call, REQUESTS[0]))
    assert result.choices[0].text == "one"
    assert (call.record.model, call.record.prompt_tokens, call.record.completion_tokens) == ("demo", 3, 3)
    assert engine.all_closed


async def test_a_single_generations_events_pass_unchanged_and_are_counted() -> None:
    call = call_of(Engine(answer("one")))
    generation = await generations.begin(call, REQUESTS[0])
    assert [event async for event in generations.Noted(call, generation)] == answer("one")
    assert call.record.completion_tokens == 3


async def test_a_refusal_names_the_part_of_the_request_as_the_dialect_does() -> None:
    engine = Engine(EngineError("unsupported_schema", "no", param="schema"))
    with pytest.raises(EngineError, match="no") as refusal:
        await generations.begin(call_of(engine), REQUESTS[0], {"schema": "response_format"})
    assert (refusal.value.code, refusal.value.param) == ("unsupported_schema", "response_format")


async def test_whole_results_come_in_the_order_of_the_requests_and_are_counted() -> None:
    engine = Engine(answer("one"), answer("three"))
    call = call_of(engine)
    results = await generations.results(call, REQUESTS)
    assert [result.choices[0].text for result in results] == ["one", "three"]
    assert (call.record.model, call.record.prompt_tokens, call.record.completion_tokens) == ("demo", 6, 8)
    assert engine.all_closed


async def test_one_failure_ends_all() -> None:
    engine = Engine([], [EngineError("worker_died", "gone")])
    with pytest.raises(EngineError, match="gone"):
        await generations.results(call_of(engine), REQUESTS)
    assert engine.all_closed


async def test_a_client_that_leaves_ends_all() -> None:
    engine = Engine([], [])
    with pytest.raises(ClientDisconnected):
        await generations.results(call_of(engine, leaves=True), REQUESTS)
    assert engine.all_closed


async def test_one_refusal_gives_up_what_had_begun() -> None:
    engine = Engine(answer("one"), EngineError("invalid_request", "no"))
    with pytest.raises(EngineError, match="no"):
        await merged(call_of(engine))
    assert engine.all_closed


@pytest.mark.parametrize("begin_all", [generations.results, merged])
async def test_a_refusal_of_one_of_several_prompts_says_which(begin_all: Any) -> None:
    engine = Engine(answer("one"), EngineError("invalid_request", "no", param="prompt"))
    with pytest.raises(EngineError) as refusal:
        await begin_all(call_of(engine), REQUESTS)
    assert refusal.value.param == "prompt[1]"


async def test_merged_events_are_numbered_keep_their_order_and_are_counted() -> None:
    call = call_of(Engine(answer("one"), answer("three")))
    events = [event async for event in await merged(call)]
    assert [[event for number, event in events if number == which] for which in (0, 1)] == [
        answer("one"),
        answer("three"),
    ]
    assert (call.record.prompt_tokens, call.record.completion_tokens) == (6, 8)


async def test_a_failure_within_merged_events_is_raised_and_closing_gives_up_the_rest() -> None:
    engine = Engine([TextDelta(index=0, text="a")], [EngineError("worker_died", "gone")])
    events = await merged(call_of(engine))
    with pytest.raises(EngineError, match="gone"):
        async for _ in events:
            pass
    await events.aclose()
    await events.aclose()
    assert engine.all_closed


async def test_a_long_list_of_prompts_never_has_more_than_its_share_running() -> None:
    many = generations.AT_ONCE + 5
    engine = Engine(*[answer("x")] * many)
    events = await merged(call_of(engine), REQUESTS[:1] * many)
    most = 0
    numbers = []
    async for number, event in events:
        most = max(most, engine.running)
        numbers += [number] if isinstance(event, Finished) else []
    assert most == generations.AT_ONCE
    assert sorted(numbers) == list(range(many))
    assert len(await generations.results(call_of(Engine(*[answer("x")] * many)), REQUESTS[:1] * many)) == many


class PromptEngine(Engine):
    """Refuses as soon as it begins."""

    async def generate(self, request: GenerationRequest, *, await_place: bool = True) -> Generation:
        source = next(self._following)
        await asyncio.sleep(0)
        if isinstance(source, Exception):
            raise source
        self._begun += 1
        return Generation(source, prompt_tokens=3, load_ns=0)


@pytest.mark.parametrize("iterations", range(20))
async def test_who_leaves_at_any_moment_while_one_prompt_is_refused_leaves_nothing_running(iterations: int) -> None:
    engine = PromptEngine([], EngineError("queue_full", "no"))

    async def receive() -> dict[str, Any]:
        for _ in range(iterations):
            await asyncio.sleep(0)
        return {"type": "http.disconnect"}

    with pytest.raises((ClientDisconnected, EngineError)):
        await merged(dataclasses.replace(call_of(engine), receive=receive))
    assert engine.running == 0
