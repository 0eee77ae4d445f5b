"""Which workers live: shared loads, eviction, keep-alive, waiting in line."""

import asyncio
import time

import pytest

from engine import CatalogError, EngineError, LoadParams
from tests.gguf_bytes import write_model
from tests.process.host.probes import HELLO, loaded, run, until


@pytest.fixture
def gate(tmp_path):
    """A file that scripted generations wait for (`["until", path]`); `touch()` lets them go on."""
    return tmp_path / "gate"


async def test_concurrent_first_requests_share_one_load(scripted, script, caplog):
    caplog.set_level("INFO")
    async with scripted({"delay_seconds": 0.1}) as engine:
        results = await asyncio.gather(*(run(engine, script(*HELLO)) for _ in range(20)))
    assert all(result.timings.load_ns > 100_000_000 for result in results)
    assert len([record for record in caplog.records if "loading model a" in record.getMessage()]) == 1


@pytest.mark.parametrize(
    ("load", "said"),
    [
        ({"fail": "no such tensor"}, "no such tensor"),
        ({"kill": 9}, "its worker was killed by signal 9"),
        ({"exit": 2}, "its worker exited with code 2"),
        ({"garbage": True}, "its worker sent what is not a frame"),
    ],
)
async def test_a_failed_load_fails_all_who_wait_with_its_reason_and_is_tried_again(
    scripted, script, caplog, load, said
):
    caplog.set_level("INFO")
    async with scripted(load) as engine:
        for _ in range(2):
            answers = await asyncio.gather(*(engine.generate(script(*HELLO)) for _ in range(3)), return_exceptions=True)
            assert {answer.code for answer in answers} == {"model_load_failed"}
            assert all(said in answer.message for answer in answers)
        assert loaded(engine) == []
    assert len([record for record in caplog.records if "loading model a" in record.getMessage()]) == 2


async def test_a_load_that_never_ends_is_given_up(scripted, script):
    async with scripted({"hang": True}, load_timeout_seconds=0.2) as engine:
        with pytest.raises(EngineError, match=r"not loaded within 0\.2 seconds"):
            await engine.generate(script(*HELLO))
        assert loaded(engine) == []


async def test_a_worker_that_cannot_be_started_is_a_failed_load(scripted, script):
    async with scripted() as engine:
        engine._pool._command = ("/nonexistent/interpreter",)
        with pytest.raises(EngineError, match="no worker could be started") as caught:
            await engine.generate(script(*HELLO))
        assert caught.value.code == "model_load_failed"


async def test_a_fault_of_our_own_during_the_load_fails_who_waits_and_holds_no_place(scripted, script, monkeypatch):
    async with scripted(max_loaded_models=1) as engine:
        with monkeypatch.context() as patched:
            patched.setattr("engine.host.pool.Load", lambda **_: 1 / 0)
            with pytest.raises(EngineError, match="the server's log says why"):
                await engine.generate(script(*HELLO))
        assert (await run(engine, script(*HELLO))).choices[0].text == "hello"


async def test_the_idle_worker_unused_for_longest_makes_room(scripted, script):
    async with scripted(max_loaded_models=2) as engine:
        for model in ("a", "b", "a", "c"):
            await run(engine, script(*HELLO, model=model))
        assert loaded(engine) == ["a", "c"]


async def test_a_worker_that_stays_for_ever_makes_room_last(scripted, script):
    async with scripted(max_loaded_models=2) as engine:
        await engine.load("a", keep_alive_seconds=-1)
        await engine.load("b")
        await engine.load("c")
        assert loaded(engine) == ["a", "c"]
        await engine.load("c", keep_alive_seconds=-1)
        await engine.load("b")
        assert loaded(engine) == ["c", "b"]


async def test_a_busy_worker_finishes_before_it_makes_room(scripted, script, gate):
    async with scripted(max_loaded_models=1) as engine:
        running = await engine.generate(script(["started"], ["until", str(gate)], *HELLO[1:], model="a"))
        waiting = asyncio.create_task(run(engine, script(*HELLO, model="b")))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        assert repr(engine._pool) == "<Pool 1/1: a=closing(1 active); 1 waiting>"
        gate.touch()
        assert (await running.result()).choices[0].text == "hello"
        assert (await waiting).timings.load_ns > 100_000_000
        assert loaded(engine) == ["b"]


async def test_a_busy_model_does_not_keep_another_out_for_ever(scripted, script):
    async with scripted(max_loaded_models=1) as engine:
        stop = asyncio.Event()

        async def keep_busy():
            while not stop.is_set():
                await run(engine, script(["started"], ["sleep", 0.02], *HELLO[1:], model="a"))

        busy = [asyncio.create_task(keep_busy()) for _ in range(3)]
        await until(lambda: loaded(engine) == ["a"])
        async with asyncio.timeout(5):
            await run(engine, script(*HELLO, model="b"))
        stop.set()
        await asyncio.gather(*busy)


async def test_models_that_take_turns_all_get_their_answers(scripted, script):
    async with scripted(max_loaded_models=2) as engine:
        requests = [script(*HELLO, model="abc"[number % 3]) for number in range(12)]
        results = await asyncio.gather(*(run(engine, request) for request in requests))
        assert [result.choices[0].text for result in results] == ["hello"] * 12
        assert len(engine._pool._line) == 0


async def test_too_many_waiting_requests_are_refused(scripted, script):
    async with scripted({"delay_seconds": 0.3}, max_queue=2) as engine:
        tasks = [asyncio.create_task(run(engine, script(*HELLO))) for _ in range(3)]
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(answer).__name__ for answer in answers].count("GenerationResult") == 2
        assert answers[2].code == "queue_full"


async def test_without_a_queue_the_first_request_for_a_model_still_has_it_loaded(scripted, script):
    async with scripted({"delay_seconds": 0.1}, max_queue=0) as engine:
        tasks = [asyncio.create_task(run(engine, script(*HELLO))) for _ in range(2)]
        first, second = await asyncio.gather(*tasks, return_exceptions=True)
        assert first.choices[0].text == "hello"
        assert second.code == "queue_full"


async def test_too_many_requests_in_one_model_are_refused_until_one_ends(scripted, script):
    async with scripted(max_queue=1, load=LoadParams(parallel=2)) as engine:
        held = [await engine.generate(script(["started"], ["hang"])) for _ in range(3)]
        with pytest.raises(EngineError) as caught:
            await engine.generate(script(*HELLO))
        assert caught.value.code == "queue_full"
        held[0].close()
        assert (await run(engine, script(*HELLO))).choices[0].text == "hello"
        for generation in held:
            generation.close()


async def test_waiting_requests_are_bounded_by_their_bytes_too(scripted, script):
    async with scripted(max_queue_bytes=3000, load=LoadParams(parallel=1)) as engine:
        long = ["text", "x" * 2000]
        running = await engine.generate(script(["started"], long, ["hang"]))
        waiting = [await engine.generate(script(["queued"], long, ["hang"]), await_place=False)]
        with pytest.raises(EngineError, match="of at most 3000 wait already") as caught:
            await engine.generate(script(*HELLO[:1], long))
        assert caught.value.code == "queue_full"
        waiting.append(await engine.generate(script(["queued"], ["hang"]), await_place=False))
        waiting[0].close()
        assert 0 < engine._pool.waiting_bytes < 1000
        waiting.append(await engine.generate(script(["started"], long, ["hang"])))
        assert engine._pool.waiting_bytes < 1000, "what is computed waits no more"
        for generation in (running, *waiting):
            generation.close()
        assert engine._pool.waiting_bytes == 0


async def test_those_who_wait_for_a_load_are_bounded_by_their_bytes_but_the_first_never_is(scripted, script):
    async with scripted({"delay_seconds": 0.2}, max_queue_bytes=1000) as engine:
        long = ["text", "x" * 2000]
        tasks = [asyncio.create_task(run(engine, script(HELLO[0], long, *HELLO[3:]))) for _ in range(2)]
        first, second = await asyncio.gather(*tasks, return_exceptions=True)
        assert first.choices[0].text == long[1]
        assert second.code == "queue_full"
        assert engine._pool.waiting_bytes == 0


async def test_a_model_with_parameters_of_its_own_has_its_own_number_of_places(scripted, script):
    async with scripted(max_queue=0, load=LoadParams(parallel=2), own_loads={"b": LoadParams(parallel=1)}) as engine:
        held = [await engine.generate(script(["started"], ["hang"], model=name)) for name in ("a", "a", "b")]
        with pytest.raises(EngineError, match="model 'b'"):
            await engine.generate(script(*HELLO, model="b"))
        for generation in held:
            generation.close()


async def test_parameters_for_a_model_that_is_not_there_are_refused_at_start(scripted):
    with pytest.raises(CatalogError, match=r"settings for a model 'd', but the models here are: a, b, c"):
        async with scripted(own_loads={"d": LoadParams()}):
            pass


async def test_a_broken_chat_template_that_was_set_is_said_at_start(scripted):
    with pytest.raises(CatalogError, match=r"chat template that is set for a is broken: line 1"):
        async with scripted(own_loads={"a": LoadParams(chat_template="{{ 1 + }}")}):
            pass


async def test_who_stops_waiting_leaves_the_line(scripted, script):
    async with scripted({"delay_seconds": 0.2}, max_loaded_models=1) as engine:
        first = asyncio.create_task(run(engine, script(*HELLO)))
        quitter = asyncio.create_task(run(engine, script(*HELLO, model="b")))
        await asyncio.sleep(0.05)
        assert len(engine._pool._line) == 2
        quitter.cancel()
        await first
        assert len(engine._pool._line) == 0
        assert loaded(engine) == ["a"]


async def test_an_idle_model_is_unloaded_when_its_time_is_over(scripted, script):
    async with scripted(keep_alive_seconds=0.5) as engine:
        await run(engine, script(*HELLO))
        (entry,) = engine.loaded()
        assert 0 < entry.expires_at - time.time() <= 0.5
        await until(lambda: not loaded(engine))
        assert time.time() >= entry.expires_at - 0.01


async def test_use_starts_the_time_anew(scripted, script):
    async with scripted() as engine:
        await run(engine, script(*HELLO))
        first = engine.loaded()[0].expires_at
        await asyncio.sleep(0.02)
        await run(engine, script(*HELLO))
        assert engine.loaded()[0].expires_at >= first + 0.02


async def test_a_running_request_stops_the_time(scripted, script):
    async with scripted(keep_alive_seconds=0.05) as engine:
        answer = await run(engine, script(["started"], ["sleep", 0.2], *HELLO[1:]))
        assert answer.choices[0].text == "hello"


@pytest.mark.parametrize("keep_alive_seconds", [-1, 1e12, float("inf")])
async def test_a_negative_or_endless_keep_alive_keeps_the_model(scripted, script, keep_alive_seconds):
    async with scripted(keep_alive_seconds=0.05) as engine:
        await run(engine, script(*HELLO, keep_alive_seconds=keep_alive_seconds))
        await asyncio.sleep(0.15)
        (entry,) = engine.loaded()
        assert entry.expires_at is None


async def test_a_keep_alive_of_zero_unloads_when_the_last_request_has_ended(scripted, script, gate):
    async with scripted() as engine:
        long = await engine.generate(script(["started"], ["until", str(gate)], *HELLO[1:]))
        await run(engine, script(*HELLO, keep_alive_seconds=0))
        assert loaded(engine) == ["a"]
        gate.touch()
        await long.result()
        await until(lambda: not loaded(engine))


async def test_a_request_without_keep_alive_leaves_what_an_earlier_one_wished(scripted, script):
    async with scripted(keep_alive_seconds=0.05) as engine:
        await run(engine, script(*HELLO, keep_alive_seconds=-1))
        await run(engine, script(*HELLO))
        await asyncio.sleep(0.15)
        assert loaded(engine) == ["a"]


async def test_unload_ends_an_idle_worker_before_it_returns(scripted):
    async with scripted() as engine:
        await engine.load("a")
        await engine.unload("a")
        assert loaded(engine) == []
        await engine.unload("a")


async def test_unload_lets_running_requests_end_and_later_ones_load_again(scripted, script, gate):
    async with scripted() as engine:
        running = await engine.generate(script(["started"], ["until", str(gate)], *HELLO[1:]))
        await engine.unload("a")
        later = asyncio.create_task(run(engine, script(*HELLO)))
        await asyncio.sleep(0.05)
        assert not later.done()
        gate.touch()
        assert (await running.result()).choices[0].text == "hello"
        assert (await later).timings.load_ns > 0


async def test_unload_during_the_load_takes_effect_after_the_requests_that_wait_for_it(scripted, script):
    async with scripted({"delay_seconds": 0.2}) as engine:
        waiting = asyncio.create_task(run(engine, script(*HELLO)))
        await asyncio.sleep(0.05)
        await engine.unload("a")
        assert (await waiting).choices[0].text == "hello"
        await until(lambda: not loaded(engine))


async def test_models_named_at_start_are_loaded_and_stay(scripted):
    async with scripted(preload=("a", "b"), keep_alive_seconds=0.05) as engine:
        assert not engine.ready
        await until(lambda: engine.ready)
        await asyncio.sleep(0.15)
        assert {entry.name: entry.expires_at for entry in engine.loaded()} == {"a": None, "b": None}


async def test_files_given_at_start_are_loaded_and_directories_are_not(scripted, model_files):
    async with scripted(models=((None, model_files), ("mine", model_files / "a.gguf"))) as engine:
        await until(lambda: engine.ready)
        assert loaded(engine) == ["mine"]


async def test_a_failed_preload_keeps_the_engine_from_being_ready_and_says_why(scripted):
    async with scripted({"fail": "no such tensor"}, preload=("a",)) as engine:
        await until(lambda: engine.preload_errors)
        assert "no such tensor" in engine.preload_errors["a"]
        assert not engine.ready


async def test_a_file_that_changed_is_loaded_anew(scripted, script, model_files):
    async with scripted() as engine:
        await run(engine, script(*HELLO))
        write_model(model_files / "a.gguf", general__name="another")
        result = await run(engine, script(*HELLO))
        assert result.timings.load_ns > 0
        assert engine.loaded()[0].entry.metadata.values["general.name"] == "another"


async def test_closing_during_a_load_ends_it(scripted, script):
    async with scripted({"delay_seconds": 5}) as engine:
        waiting = asyncio.create_task(engine.generate(script(*HELLO)))
        await asyncio.sleep(0.05)
        begun = time.monotonic()
        await engine.aclose()
        with pytest.raises(EngineError) as caught:
            await waiting
        assert caught.value.code == "shutting_down"
        assert time.monotonic() - begun < 2


async def test_the_digest_is_the_files_sha256_until_the_file_changes(scripted, model_files):
    import hashlib

    async with scripted() as engine:
        path = model_files / "a.gguf"
        assert await engine.digest("a") == hashlib.sha256(path.read_bytes()).hexdigest()
        write_model(path, general__name="another")
        assert await engine.digest("a") == hashlib.sha256(path.read_bytes()).hexdigest()


async def test_a_refusal_says_how_long_the_wait_would_be_as_it_was_measured(scripted, script):
    async with scripted(max_queue=0, load=LoadParams(parallel=1)) as engine:
        await run(engine, script(["started"], ["sleep", 0.3], ["choice"], ["finish"]))
        held = await engine.generate(script(["started"], ["hang"]))
        with pytest.raises(EngineError) as caught:
            await engine.generate(script(*HELLO))
        assert 0.2 < caught.value.retry_after_seconds < 5
        held.close()
