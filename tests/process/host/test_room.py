"""A model that is loaded again because a request wants more context: when, for whom, and what becomes of everyone else."""

import asyncio

import msgspec
import pytest

from engine import EmbeddingRequest, EngineError, LoadParams
from engine.config import Rope
from tests.gguf_bytes import write_model
from tests.process.host.probes import HELLO, loaded, run, until

LOADED = 512
"""What a scripted worker has unless more is asked for."""


@pytest.fixture
def model_files(tmp_path):
    for name in ("a", "b"):
        write_model(tmp_path / "models" / f"{name}.gguf", _arch__context_length=4096)
    return tmp_path / "models"


def context(engine):
    (entry,) = engine.loaded()
    return entry.model.ctx_size_tokens


async def in_line(engine, count):
    """Wait until so many requests wait."""
    await until(lambda: len(engine._pool._line) == count)


def loads(caplog):
    return len([record for record in caplog.records if record.getMessage().startswith("loading model")])


async def test_a_request_for_more_context_has_the_model_loaded_with_it_and_then_it_stays(scripted, script, caplog):
    caplog.set_level("INFO")
    async with scripted() as engine:
        seen = []
        for wanted in (None, LOADED, 1000, None, 800, 2000, 1000):
            await run(engine, script(*HELLO, context_limit_tokens=wanted))
            seen.append(context(engine))
    assert seen == [512, 512, 1000, 1000, 1000, 2000, 2000]
    assert loads(caplog) == 3


async def test_no_running_request_is_ended_for_it_and_later_ones_wait_in_line(scripted, script, tmp_path):
    async with scripted() as engine:
        running = await engine.generate(script(["started"], ["until", str(tmp_path / "gate")], *HELLO[1:]))
        larger = asyncio.create_task(run(engine, script(*HELLO, context_limit_tokens=1000)))
        await in_line(engine, 1)
        later = asyncio.create_task(run(engine, script(*HELLO)))
        await in_line(engine, 2)
        assert repr(engine._pool) == "<Pool 1/3: a=ready(1 active); 2 waiting>"
        (tmp_path / "gate").touch()
        assert (await running.result()).choices[0].text == "hello"
        assert [(await task).choices[0].text for task in (larger, later)] == ["hello", "hello"]
        assert context(engine) == 1000


async def test_who_gives_up_wanting_more_lets_the_others_go_on_at_once(scripted, script):
    async with scripted() as engine:
        running = await engine.generate(script(["started"], ["hang"]))
        larger = asyncio.create_task(run(engine, script(*HELLO, context_limit_tokens=1000)))
        await in_line(engine, 1)
        later = asyncio.create_task(run(engine, script(*HELLO)))
        await in_line(engine, 2)
        larger.cancel()
        assert (await later).choices[0].text == "hello"
        assert context(engine) == LOADED
        running.close()


async def test_those_who_came_before_do_not_wait_for_a_second_load(scripted, script, caplog):
    caplog.set_level("INFO")
    async with scripted({"delay_seconds": 0.2}) as engine:
        first = asyncio.create_task(run(engine, script(*HELLO)))
        await until(lambda: loads(caplog) == 1)
        larger = asyncio.create_task(run(engine, script(*HELLO, context_limit_tokens=1000)))
        answers = [await first, await larger]
        assert answers[0].timings.load_ns < answers[1].timings.load_ns
        assert loads(caplog) == 2


async def test_what_is_asked_for_while_nothing_is_loaded_takes_one_load(scripted, script, caplog):
    caplog.set_level("INFO")
    async with scripted() as engine:
        wishes = (None, 1000, 2000)
        await asyncio.gather(*(run(engine, script(*HELLO, context_limit_tokens=wanted)) for wanted in wishes))
        assert context(engine) == 2000
    assert loads(caplog) == 1


async def test_a_model_that_is_loaded_again_stays_for_as_long_as_it_was_to(scripted, script):
    async with scripted(preload=("a",), keep_alive_seconds=0.05) as engine:
        await engine.load("b", keep_alive_seconds=-1)
        for model in ("a", "b"):
            await run(engine, script(*HELLO, model=model, context_limit_tokens=1000))
        await asyncio.sleep(0.15)
        assert {entry.name: entry.expires_at for entry in engine.loaded()} == {"a": None, "b": None}


async def test_an_unloaded_model_begins_again_with_what_is_usual(scripted, script):
    async with scripted() as engine:
        await run(engine, script(*HELLO, context_limit_tokens=1000, keep_alive_seconds=0))
        await until(lambda: not loaded(engine))
        await run(engine, script(*HELLO))
        assert context(engine) == LOADED


async def test_a_load_for_more_that_fails_fails_those_who_wanted_it_alone(scripted, script):
    async with scripted({"fail_above_tokens": 2000}) as engine:
        await run(engine, script(*HELLO, context_limit_tokens=1000))
        running = await engine.generate(script(["started"], ["hang"]))
        wishes = (4000, None, 2000)
        waiting = [asyncio.create_task(run(engine, script(*HELLO, context_limit_tokens=wanted))) for wanted in wishes]
        await in_line(engine, 3)
        running.close()
        failed, plain, smaller = await asyncio.gather(*waiting, return_exceptions=True)
        assert (failed.code, "no memory" in failed.message) == ("model_load_failed", True)
        assert [answer.choices[0].text for answer in (plain, smaller)] == ["hello", "hello"]
        assert context(engine) == 2000


@pytest.mark.parametrize(
    ("params", "limit", "reason"),
    [
        (LoadParams(), 4096, "trained for 4096"),
        (LoadParams(ctx_size_tokens=512), 512, "ctx_size setting"),
        (LoadParams(rope=Rope(freq_scale=0.5)), 8192, "trained for 4096"),
        (LoadParams(rope=Rope(freq_scale=0.5, scaling="none")), 4096, "trained for 4096"),
        (LoadParams(rope=Rope(freq_scale=0.25, yarn_orig_ctx=2048)), 8192, "trained for 4096"),
    ],
)
async def test_more_than_a_model_may_have_is_refused_with_the_limit_and_loads_nothing(
    scripted, script, params, limit, reason
):
    async with scripted(load=params) as engine:
        await run(engine, script(*HELLO))
        with pytest.raises(EngineError, match=rf"expected at most {limit}: .*{reason}") as caught:
            await engine.generate(script(*HELLO, context_limit_tokens=limit + 1))
        assert (caught.value.code, caught.value.param) == ("invalid_request", "num_ctx")
        (activity,) = await engine.activity()
        assert activity.loads == 1


async def test_a_model_that_cannot_give_what_its_file_promises_is_loaded_once_for_it_and_says_so(scripted, caplog):
    caplog.set_level("INFO")
    request = EmbeddingRequest(model="a", inputs=("x",), context_limit_tokens=2000)  # a scripted worker embeds 1024
    async with scripted() as engine:
        for _ in range(2):
            with pytest.raises(EngineError, match="expected at most 1024: this model takes no more"):
                await engine.embed(request)
        await engine.embed(msgspec.structs.replace(request, context_limit_tokens=1024))
        assert context(engine) == LOADED
    assert loads(caplog) == 1


async def test_a_load_without_a_request_may_want_more_too(scripted, script):
    async with scripted() as engine:
        await engine.load("a")
        assert (await engine.load_for(script(context_limit_tokens=1000))).ctx_size_tokens == 1000


async def test_another_models_turn_comes_before_the_larger_load_if_it_waited_longer(scripted, script, tmp_path):
    async with scripted(max_loaded_models=1) as engine:
        running = await engine.generate(script(["started"], ["until", str(tmp_path / "gate")], *HELLO[1:]))
        other = asyncio.create_task(run(engine, script(*HELLO, model="b")))
        await in_line(engine, 1)
        larger = asyncio.create_task(run(engine, script(*HELLO, context_limit_tokens=1000)))
        await in_line(engine, 2)
        (tmp_path / "gate").touch()
        await running.result()
        assert (await other).timings.load_ns < (await larger).timings.load_ns
        assert (loaded(engine), context(engine)) == (["a"], 1000)
