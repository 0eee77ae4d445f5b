"""What the tests of the host ask an engine over scripted workers, and the scripts that they use most."""

import asyncio
import json
from pathlib import Path

from engine import ApplyTemplateRequest, ChatPrompt, DetokenizeRequest, TokenizeRequest

WORKER = Path(__file__).with_name("scripted_worker.py")

HELLO = (["started", 7], ["text", "hel"], ["text", "lo"], ["choice"], ["finish"])
FOREVER = (["started"], ["text", "hi"], ["hang"])


async def open_ids(engine, model="a"):
    """The ids of the requests that the worker has open."""
    return (await engine.tokenize(TokenizeRequest(model=model, text=""))).tokens


async def cancelled_ids(engine, model="a"):
    """The ids of the requests that were cancelled in the worker."""
    return json.loads((await engine.detokenize(DetokenizeRequest(model=model, tokens=()))).text)


async def worker_pid(engine, model="a"):
    """The process id of the model's worker."""
    request = ApplyTemplateRequest(model=model, prompt=ChatPrompt(messages=()))
    return int((await engine.apply_template(request)).prompt)


def active(engine):
    return sum(entry.active_requests for entry in engine.loaded())


def loaded(engine):
    """The names of the loaded models."""
    return [entry.name for entry in engine.loaded()]


async def run(engine, request):
    """The whole answer."""
    return await (await engine.generate(request)).result()


async def until(condition):
    """Wait until this holds."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)
