"""What the engine says of its models while they work, die and are gone."""

import signal

import pytest

from engine import EngineError
from tests.process.host.probes import FOREVER, HELLO, run


async def test_requests_are_counted_by_their_ends(scripted, script):
    async with scripted() as engine:
        await run(engine, script(*HELLO))
        (await engine.generate(script(*FOREVER))).close()
        with pytest.raises(EngineError):
            await run(engine, script(["started"], ["kill", signal.SIGKILL]))
        await run(engine, script(*HELLO))
        (activity,) = await engine.activity()
    assert activity.counts.outcomes == {"finished": 2, "cancelled": 1, "worker_died": 1}
    assert (activity.model, activity.state, activity.loads, activity.deaths) == ("a", "ready", 2, 1)
    assert activity.counts.first_token_seconds.count == 2


async def test_a_running_request_shows_in_its_worker(scripted, script):
    async with scripted() as engine:
        generation = await engine.generate(script(*FOREVER))
        (activity,) = await engine.activity()
        assert (activity.open_requests, activity.worker.running) == (1, 1)
        generation.close()


async def test_a_worker_that_does_not_answer_is_left_out_and_waited_for_briefly(scripted, script):
    async with scripted() as engine:
        generation = await engine.generate(script(["started"], ["text", "a"], ["kill", signal.SIGSTOP], ["hang"]))
        await anext(generation)
        (activity,) = await engine.activity()
        assert (activity.state, activity.worker) == ("ready", None)
        generation.close()
