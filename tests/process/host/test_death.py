"""A worker's death: each of its requests fails once and says how, nothing else does, and the next request loads again."""

import asyncio
import os
import signal

import psutil
import pytest

from engine import EngineError
from tests.process.host.probes import FOREVER, HELLO, active, run, worker_pid


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (["kill", signal.SIGKILL], "was killed by signal 9 (SIGKILL)"),
        (["kill", signal.SIGSEGV], "was killed by signal 11 (SIGSEGV)"),
        (["exit", 3], "exited with code 3"),
        (["exit", 0], "ended by itself"),
        (["garbage"], "sent what is not a frame"),
        (["huge_frame"], "sent what is not a frame"),
    ],
)
async def test_a_workers_death_fails_each_open_request_once_and_the_next_loads_again(scripted, script, step, said):
    async with scripted() as engine:
        await engine.load("a")
        others = [await engine.generate(script(*FOREVER)) for _ in range(3)]
        dying = await engine.generate(script(["started"], ["text", "hi"], ["sleep", 0.1], step))
        for generation in (dying, *others):
            assert (await anext(generation)).text == "hi"
            with pytest.raises(EngineError) as caught:
                await anext(generation)
            assert caught.value.code == "worker_died"
            assert f"the worker of model 'a' {said}" in caught.value.message
            assert [event async for event in generation] == []
        assert (await (await engine.generate(script(*HELLO))).result()).choices[0].text == "hello"
        assert active(engine) == 0


async def test_closing_a_generation_of_a_worker_that_has_just_died_does_no_harm(scripted, script):
    async with scripted() as engine:
        held = await engine.generate(script(*FOREVER))
        dying = await engine.generate(script(["started"], ["kill", signal.SIGKILL]))
        while engine._pool.ready_workers()[0].connection.alive:
            await asyncio.sleep(0)
        held.close()
        with pytest.raises(EngineError, match="SIGKILL"):
            await dying.result()
        assert active(engine) == 0


async def test_a_death_before_the_start_is_raised_by_generate(scripted, script):
    async with scripted() as engine:
        with pytest.raises(EngineError, match="SIGABRT") as caught:
            await engine.generate(script(["kill", signal.SIGABRT]))
        assert caught.value.code == "worker_died"


async def test_another_models_requests_survive_a_death(scripted, script):
    async with scripted() as engine:
        survivor = await engine.generate(script(["started"], ["sleep", 0.3], *HELLO[1:], model="b"))
        dying = await engine.generate(script(["started"], ["kill", 9]))
        with pytest.raises(EngineError):
            await dying.result()
        assert (await survivor.result()).choices[0].text == "hello"


async def test_what_a_worker_said_before_it_died_arrives(scripted, script):
    for _ in range(5):
        async with scripted() as engine:
            generation = await engine.generate(script(["started"], ["text", "last words"], ["kill", 9]))
            assert (await anext(aiter(generation))).text == "last words"
            with pytest.raises(EngineError, match="SIGKILL"):
                await generation.result()


async def test_an_idle_worker_that_is_killed_is_replaced(scripted, script):
    async with scripted() as engine:
        os.kill(await worker_pid(engine), signal.SIGKILL)
        while engine.loaded():
            await asyncio.sleep(0.01)
        assert (await (await engine.generate(script(*HELLO))).result()).choices[0].text == "hello"


async def test_a_dead_workers_last_words_are_in_the_log(scripted, script, caplog):
    async with scripted() as engine:
        generation = await engine.generate(script(["started"], ["print", "GGML_ASSERT failed"], ["kill", 6]))
        with pytest.raises(EngineError):
            await generation.result()
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "worker of a: GGML_ASSERT failed" in warnings


async def test_closing_the_engine_fails_what_runs_and_leaves_no_process(scripted, script):
    async with scripted() as engine:
        generation = await engine.generate(script(*FOREVER))
        waiting = asyncio.create_task(engine.generate(script(["hang"])))
        process = psutil.Process(await worker_pid(engine))
        await engine.aclose()
        await engine.aclose()
        for failing in (generation.result(), waiting, engine.generate(script(*HELLO))):
            with pytest.raises(EngineError, match="shutting down") as caught:
                await failing
            assert caught.value.code == "shutting_down"
        assert not process.is_running()


async def test_a_worker_that_was_stopped_is_ended_and_its_requests_fail_once(scripted, script):
    async with scripted(worker_silence_seconds=0.5) as engine:
        stopped = await engine.generate(script(["started"], ["kill", signal.SIGSTOP], ["hang"]))
        with pytest.raises(EngineError, match=r"gave no sign of life for 0\.5 seconds and was ended") as caught:
            await stopped.result()
        assert caught.value.code == "worker_died"
        assert (await (await engine.generate(script(*HELLO))).result()).choices[0].text == "hello"


async def test_a_worker_whose_step_never_ends_is_ended(scripted, script):
    async with scripted({"step_age_seconds": 61}, worker_silence_seconds=0.5, max_step_seconds=60) as engine:
        with pytest.raises(EngineError, match="took more than 60 seconds for one step and was ended"):
            await run(engine, script(["started"], ["hang"]))


async def test_a_worker_that_computes_for_long_but_answers_is_left_alone(scripted, script):
    async with scripted({"step_age_seconds": 59}, worker_silence_seconds=0.2, max_step_seconds=60) as engine:
        slow = await engine.generate(script(["started"], ["sleep", 0.6], ["text", "late"], ["choice"], ["finish"]))
        assert (await slow.result()).choices[0].text == "late"
