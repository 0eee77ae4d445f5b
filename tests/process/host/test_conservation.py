"""Whatever happens in whatever order, each request ends once, and nothing stays behind."""

import asyncio
import contextlib
import os
import random
import signal

import pytest

from engine import EngineError, LoadParams

ENDINGS = {"worker_died", "model_load_failed", "queue_full", "internal"}
SCRIPTS = (
    (["started"], ["text", "hi"], ["choice"], ["finish"]),
    (["started"], ["text", "hi", 0, 50], ["sleep", 0.05], ["choice"], ["finish"]),
    (["sleep", 0.05], ["started"], ["choice"], ["finish"]),
    (["started"], ["text", "hi"], ["sleep", 0.02], ["fail", "internal", "m"]),
    (["fail", "internal", "m"],),
    (["started"], ["hang"]),
    (["hang"],),
    (["started"], ["sleep", 0.03], ["kill", signal.SIGKILL]),
)

PATIENT_SECONDS = 60
"""More than anything takes here, however busy the machine."""


async def one_request(engine, request, patience_seconds):
    """How a request ended, from its caller's side."""
    try:
        async with asyncio.timeout(patience_seconds):
            async with await engine.generate(request) as generation:
                endings = [event async for event in generation if type(event).__name__ == "Finished"]
                assert len(endings) == 1
                return "finished"
    except EngineError as error:
        return error.code
    except TimeoutError:
        return "left"


async def disturb(engine, chance, until):
    """Kill, unload and load at random."""
    while not until.is_set():
        await asyncio.sleep(0.03)
        workers = engine._pool.ready_workers()
        assert len(engine._pool._workers) <= 2
        if workers and chance.random() < 0.15:
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(workers).connection.pid, signal.SIGKILL)
        elif chance.random() < 0.3:
            await engine.unload(chance.choice("abc"))


@pytest.mark.parametrize("seed", range(3))
async def test_after_any_series_of_events_nothing_is_open_waiting_or_alive(scripted, script, seed):
    chance = random.Random(seed)
    async with scripted(max_loaded_models=2, max_queue=40, max_queue_bytes=4000, load=LoadParams(parallel=2)) as engine:
        over = asyncio.Event()
        disturbance = asyncio.create_task(disturb(engine, chance, over))
        requests = []
        for _ in range(60):
            keep_alive_seconds = chance.choice((None, None, 0, 0.05, -1))
            steps = chance.choice(SCRIPTS)
            patience_seconds = chance.choice((0.05, 0.5, 2 if ["hang"] in steps else PATIENT_SECONDS))
            request = script(
                *steps,
                model=chance.choice("abc"),
                keep_alive_seconds=keep_alive_seconds,
                context_limit_tokens=chance.choice((None, None, 100, 1000, 2000)),
            )
            requests.append(asyncio.create_task(one_request(engine, request, patience_seconds)))
            await asyncio.sleep(chance.choice((0, 0.01, 0.03)))
        endings = await asyncio.gather(*requests)
        over.set()
        await disturbance
        assert set(endings) <= {"finished", "left", *ENDINGS}
        assert "finished" in endings
        assert len(engine._pool._line) == 0
        assert engine._pool.waiting_bytes == 0
        assert all(entry.active_requests == 0 for entry in engine.loaded())
        connections = [worker.connection for worker in engine._pool.ready_workers()]
        assert all(not connection._requests for connection in connections)
        assert await one_request(engine, script(*SCRIPTS[0]), PATIENT_SECONDS) == "finished"
