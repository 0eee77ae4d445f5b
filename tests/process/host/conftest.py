"""An engine over scripted workers: real processes, real frames, no model; on the event loops that a server may run on."""

import asyncio
import contextlib
import json
import sys

import pytest
import uvloop

from engine import Engine, EngineConfig, GenerationRequest, TextPrompt
from tests.gguf_bytes import write_model
from tests.process.host.probes import WORKER


def pytest_asyncio_loop_factories(item):
    """Where processes and sockets end, the loops differ; which workers live is the same on both."""
    factories = {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}
    return factories if item.path.name == "test_death.py" else {"uvloop": uvloop.new_event_loop}


@pytest.fixture
def model_files(tmp_path):
    """The directory with the models a, b and c."""
    for name in ("a", "b", "c"):
        write_model(tmp_path / "models" / f"{name}.gguf")
    return tmp_path / "models"


@pytest.fixture
def scripted(model_files):
    """`async with scripted(load={...}, **config) as engine`: a started engine whose workers follow scripts."""

    @contextlib.asynccontextmanager
    async def start(load=None, /, **settings):
        config = EngineConfig(**({"models": ((None, model_files),), "shutdown_grace_seconds": 2.0} | settings))
        command = (sys.executable, str(WORKER), json.dumps(load or {}))
        engine = Engine(config, worker_command=command)
        await engine.start()
        try:
            yield engine
        finally:
            await engine.aclose()

    return start


@pytest.fixture
def script():
    """`script(["started"], ["text", "hi"], ..., model="a")`: a request whose worker takes these steps."""

    def request(*steps, model="a", **fields):
        return GenerationRequest(model=model, prompt=TextPrompt(text=json.dumps(steps)), **fields)

    return request
