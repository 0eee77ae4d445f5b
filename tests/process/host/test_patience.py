"""How long a request may wait: for its place in a model, for another model to make room, for the encoder of what it shows."""

import msgspec
import pytest

from engine import ChatPrompt, EmbeddingRequest, EngineError, Media
from tests.process.host.probes import HELLO, cancelled_ids, run


async def test_who_waits_too_long_for_a_place_is_told_so_and_costs_no_computing(scripted, script):
    async with scripted(queue_timeout_seconds=0.2) as engine:
        with pytest.raises(EngineError, match=r"waited 0\.2 seconds for its turn") as caught:
            await engine.generate(script(["queued"], ["hang"]))
        assert caught.value.code == "queue_timeout"
        assert len(await cancelled_ids(engine)) == 1
        (activity,) = await engine.activity()
        assert activity.counts.outcomes["queue_timeout"] == 1


def shown(request):
    """The request with a picture."""
    media = (Media(kind="image", content=b"", where="here"),)
    return msgspec.structs.replace(
        request, prompt=ChatPrompt(messages=({"role": "user", "content": request.prompt.text},), media=media)
    )


async def test_who_waits_too_long_for_the_encoder_is_told_so_and_costs_no_encoding(scripted, script):
    async with scripted(queue_timeout_seconds=0.2) as engine:
        with pytest.raises(EngineError, match=r"waited 0\.2 seconds for its turn") as caught:
            await engine.generate(shown(script(["hang"])))
        assert caught.value.code == "queue_timeout"
        assert len(await cancelled_ids(engine)) == 1


async def test_the_encoding_of_what_a_request_shows_is_no_waiting(scripted, script):
    async with scripted(queue_timeout_seconds=0.2) as engine:
        assert (await run(engine, shown(script(["preparing"], ["sleep", 0.5], *HELLO)))).choices[0].text == "hello"


async def test_who_waits_too_long_for_vectors_is_told_so_too(scripted):
    async with scripted(queue_timeout_seconds=0.2) as engine:
        with pytest.raises(EngineError, match=r"waited 0\.2 seconds for its turn") as caught:
            await engine.embed(EmbeddingRequest(model="a", inputs=("wait",)))
        assert caught.value.code == "queue_timeout"
        assert len(await cancelled_ids(engine)) == 1


async def test_who_waits_too_long_for_another_model_to_make_room_is_told_so(scripted, script):
    async with scripted(max_loaded_models=1, queue_timeout_seconds=0.2) as engine:
        running = await engine.generate(script(["started"], ["hang"]))
        with pytest.raises(EngineError, match=r"waited 0\.2 seconds for its turn") as caught:
            await engine.generate(script(*HELLO, model="b"))
        assert caught.value.code == "queue_timeout"
        assert len(engine._pool._line) == 0
        running.close()


async def test_the_time_that_a_load_takes_is_no_waiting_in_line(scripted, script):
    async with scripted({"delay_seconds": 0.5}, queue_timeout_seconds=0.2) as engine:
        assert (await run(engine, script(*HELLO))).choices[0].text == "hello"
