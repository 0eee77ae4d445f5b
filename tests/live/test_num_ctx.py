"""Ollama's `num_ctx` above the context that the model was loaded with, from the official client against the real engine."""

import asyncio
import subprocess

import ollama
import pytest

from tests.launch import DEMO_MODEL, command, environment, serving

USUAL = 2048
"""What the bundled model was trained for; positions scaled by a half let it have twice as much."""


@pytest.fixture
async def client(tmp_path):
    with serving(tmp_path, "--rope-freq-scale", "0.5") as running:
        client = ollama.AsyncClient(host=running.url)
        yield client
        await client.close()


async def context(client):
    (model,) = (await client.ps()).models
    return model.context_length


async def test_a_larger_num_ctx_loads_the_model_again_when_its_streams_have_ended(client):
    endless = {"num_predict": 400, "ignore_eos": True}
    stream = await client.generate(model=DEMO_MODEL, prompt="Hello!", options=endless, stream=True)
    await anext(stream)
    assert await context(client) == USUAL
    long = "word " * 2500
    larger = asyncio.create_task(
        client.generate(model=DEMO_MODEL, prompt=long, raw=True, options={"num_ctx": 4000, "num_predict": 1})
    )
    parts = [part async for part in stream]
    assert (parts[-1].done_reason, parts[-1].eval_count) == ("length", 400)
    assert (await larger).prompt_eval_count > USUAL
    assert await context(client) >= 4000
    await client.generate(model=DEMO_MODEL, prompt="Hello!", options={"num_ctx": 100, "num_predict": 1})
    assert await context(client) >= 4000


async def test_a_request_that_only_loads_takes_its_num_ctx_too(client):
    await client.generate(model=DEMO_MODEL, options={"num_ctx": 3000})
    assert 3000 <= await context(client) < 4000


async def test_more_than_the_model_may_have_is_refused_with_the_limit(client):
    with pytest.raises(ollama.ResponseError, match=r"num_ctx: .* expected at most 4096") as caught:
        await client.generate(model=DEMO_MODEL, prompt="Hello!", options={"num_ctx": 5000})
    assert caught.value.status_code == 400
    assert await context(client) == USUAL


async def test_more_than_there_is_memory_for_is_refused_and_ends_no_worker(tmp_path):
    with serving(tmp_path, "--rope-freq-scale", "0.000001") as running:
        client = ollama.AsyncClient(host=running.url)
        (worker,) = running.workers()
        stream = await client.generate(model=DEMO_MODEL, prompt="Hello!", options={"num_predict": 50}, stream=True)
        with pytest.raises(
            ollama.ResponseError, match=r"context of 1900000000 tokens takes .* GiB, and .* GiB"
        ) as caught:
            await client.generate(model=DEMO_MODEL, prompt="Hello!", options={"num_ctx": 1_900_000_000})
        assert caught.value.status_code == 500
        assert [part.done async for part in stream][-1]
        assert running.workers() == [worker]
        assert await context(client) == USUAL
        await client.close()


def test_a_ctx_size_that_there_is_no_memory_for_is_told_at_the_start(tmp_path):
    arguments = ("--port", "0", "--ctx-size", "2000000000", "--data-dir", str(tmp_path))
    with subprocess.Popen(
        command("serve", *arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment()
    ) as server:
        assert server.stdout is not None
        said = next(line for line in server.stdout if "context of" in line)
        server.terminate()
    assert "tokens takes" in said
    assert "of memory are free" in said
