"""A real worker's encoder is shared: one key's many pictures do not hold up another key's one."""

import asyncio
import io

import numpy as np
import psutil
import pytest
from PIL import Image

from engine import ChatPrompt, Engine, EngineConfig, GenerationRequest, LoadParams, Media
from tools.bench_model.projectors import PROJECTORS, write_projector
from tools.bench_model.shapes import PRESETS
from tools.make_bench_model import write_model


@pytest.fixture
async def seeing(tmp_path):
    """An engine with a model that sees."""
    write_model(tmp_path / "seeing.gguf", PRESETS["test-attention"], name="seeing")
    write_projector(tmp_path / "mmproj.gguf", PROJECTORS["vision"], model_width=64)
    load = LoadParams(threads=1, ctx_size_tokens=4096)
    engine = Engine(EngineConfig(models=((None, tmp_path / "seeing.gguf"),), load=load))
    await engine.start()
    yield engine
    await engine.aclose()


def look(tenant, seeds):
    """A request for a look at as many pictures."""
    media = tuple(Media(kind="image", content=picture(seed), where=f"images[{seed}]") for seed in seeds)
    content = [*({"type": "image"} for _ in media), {"type": "text", "text": "What is it?"}]
    prompt = ChatPrompt(messages=({"role": "user", "content": content},), media=media)
    return GenerationRequest(model="seeing", prompt=prompt, max_tokens=1, tenant=tenant)


def picture(seed):
    pixels = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "BMP")
    return file.getvalue()


async def test_one_picture_of_a_key_comes_between_the_many_of_another(seeing):
    await (await seeing.generate(look("c", [99]))).result()  # the model is loaded
    answered = []

    async def ask(tenant, seeds):
        generation = await seeing.generate(look(tenant, seeds))
        answered.append(tenant)
        return await generation.result()

    worker = psutil.Process(seeing._pool.ready_workers()[0].connection.pid)
    worker.suspend()  # it will find all three: they are small enough to wait in its socket
    many = [asyncio.create_task(ask("many", range(30 * n, 30 * n + 30))) for n in range(2)]
    while seeing.loaded()[0].active_requests < 2:
        await asyncio.sleep(0.01)
    one = asyncio.create_task(ask("one", [60]))
    while seeing.loaded()[0].active_requests < 3:
        await asyncio.sleep(0.01)
    worker.resume()
    results = await asyncio.gather(*many, one)
    assert answered[0] == "one"
    assert [result.usage.image_tokens for result in results] == [30 * 64, 30 * 64, 64]
