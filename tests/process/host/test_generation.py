"""One request against one worker process: its events, its cancellation, its single ending."""

import asyncio

import pytest

from engine import ChoiceFinished, EmbeddingRequest, EngineError, Finished, TextDelta, ToolCall
from tests.process.host.probes import FOREVER, HELLO, active, cancelled_ids, open_ids


async def test_a_generation_streams_its_events_in_order_and_ends_once(scripted, script):
    async with scripted() as engine:
        generation = await engine.generate(script(*HELLO))
        events = [event async for event in generation]
        assert generation.prompt_tokens == 7
        assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "hello"
        assert isinstance(events[-2], ChoiceFinished)
        assert isinstance(events[-1], Finished)
        assert [event async for event in generation] == []
        assert active(engine) == 0


async def test_the_wait_for_the_load_is_measured_and_part_of_the_whole(scripted, script):
    async with scripted({"delay_seconds": 0.2}) as engine:
        first = await (await engine.generate(script(*HELLO))).result()
        second = await (await engine.generate(script(*HELLO))).result()
    assert first.timings.load_ns > 200_000_000
    assert first.timings.total_ns == first.timings.load_ns + 3
    assert (second.timings.load_ns, second.timings.total_ns) == (0, 3)


async def test_a_result_holds_every_answer_by_index_with_its_tool_calls_and_the_echo(scripted, script):
    steps = (
        ["started"],
        ["echo", "prompt "],
        ["text", "one", 1],
        ["text", "zero", 0],
        ["tool", "", 0, "call_1", "weather"],
        ["tool", '{"city":'],
        ["tool", '"Rome"}'],
        ["choice", "stop", 1],
        ["choice", "tool_calls", 0],
        ["finish"],
    )
    async with scripted() as engine:
        result = await (await engine.generate(script(*steps))).result()
    zero, one = result.choices
    assert (zero.text, zero.echo_text, zero.finish_reason) == ("zero", "prompt ", "tool_calls")
    assert zero.tool_calls == (ToolCall("call_1", "weather", '{"city":"Rome"}'),)
    assert (one.text, one.index, one.finish_reason) == ("one", 1, "stop")
    assert result.usage.completion_tokens == 2


async def test_every_other_request_is_answered_by_its_result(scripted):
    async with scripted() as engine:
        vectors = await engine.embed(EmbeddingRequest(model="a", inputs=("x", "y")))
        assert len(vectors.vectors) == 2
        assert vectors.timings.load_ns > 0
        assert vectors.timings.total_ns == vectors.timings.load_ns + 5
        assert await open_ids(engine) == ()


async def test_a_refusal_before_the_start_is_raised_by_generate(scripted, script):
    async with scripted() as engine:
        with pytest.raises(EngineError, match="too long") as caught:
            await engine.generate(script(["fail", "context_length_exceeded", "too long"]))
        assert caught.value.code == "context_length_exceeded"
        assert active(engine) == 0


async def test_a_failure_in_the_stream_follows_what_came_before_it(scripted, script):
    async with scripted() as engine:
        generation = await engine.generate(script(["started"], ["text", "hi"], ["fail", "internal", "broke"]))
        assert (await anext(generation)).text == "hi"
        with pytest.raises(EngineError, match="broke"):
            await anext(generation)
        assert [event async for event in generation] == []
        assert active(engine) == 0


async def test_an_unknown_model_is_named_with_those_there_are(scripted, script):
    async with scripted() as engine:
        with pytest.raises(EngineError, match="'nope' does not exist; the models here are: a, b, c") as caught:
            await engine.generate(script(*HELLO, model="nope"))
        assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


async def test_closing_a_generation_cancels_it_in_the_worker(scripted, script):
    async with scripted() as engine:
        generation = await engine.generate(script(*FOREVER))
        await generation.aclose()
        await generation.aclose()
        assert await open_ids(engine) == ()
        assert await cancelled_ids(engine) == [1]
        assert active(engine) == 0
        assert [event async for event in generation] == []


async def test_closing_after_the_end_cancels_nothing(scripted, script):
    async with scripted() as engine:
        async with await engine.generate(script(*HELLO)) as generation:
            await generation.result()
        assert await cancelled_ids(engine) == []


async def test_a_caller_cancelled_before_the_start_is_cancelled_in_the_worker(scripted, script):
    async with scripted() as engine:
        await engine.load("a")
        task = asyncio.create_task(engine.generate(script(["hang"])))
        while not await open_ids(engine):
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await open_ids(engine) == ()
        assert active(engine) == 0


async def test_a_caller_cancelled_while_it_waits_for_the_result_is_cancelled_in_the_worker(scripted, script):
    async with scripted() as engine:
        task = asyncio.create_task((await engine.generate(script(*FOREVER))).result())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await open_ids(engine) == ()
        assert active(engine) == 0


async def test_a_caller_cancelled_during_the_load_leaves_the_load_to_others(scripted, script):
    async with scripted({"delay_seconds": 0.3}) as engine:
        impatient = asyncio.create_task(engine.generate(script(*HELLO)))
        patient = asyncio.create_task(engine.generate(script(*HELLO)))
        await asyncio.sleep(0.05)
        impatient.cancel()
        assert (await (await patient).result()).choices[0].text == "hello"
        assert impatient.cancelled()
        assert active(engine) == 0


async def test_what_lies_unread_is_joined_and_complete(scripted, script):
    async with scripted() as engine:
        generation = await engine.generate(script(["started"], ["text", "ab", 0, 10_000], ["choice"], ["finish"]))
        while await open_ids(engine):
            await asyncio.sleep(0.01)
        events = [event async for event in generation]
        assert len(events) < 10
        assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "ab" * 10_000


async def test_an_answer_that_is_never_read_is_given_up_in_the_worker_too(scripted, script, monkeypatch):
    monkeypatch.setattr("engine.host.event_queue.MAX_UNREAD_BYTES", 1 << 20)
    async with scripted() as engine:
        generation = await engine.generate(script(["started"], ["text", "x" * 1000, 0, 2000], ["hang"]))
        while await open_ids(engine):
            await asyncio.sleep(0.01)
        with pytest.raises(EngineError, match="unread") as caught:
            await generation.result()
        assert caught.value.code == "overloaded"
