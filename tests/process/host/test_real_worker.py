"""The engine on the bundled model: the same endings as with scripted workers, from the real one."""

import asyncio
import os
import signal

import msgspec
import psutil
import pytest

from engine import (
    BUNDLED_MODEL,
    ChatPrompt,
    Engine,
    EngineConfig,
    EngineError,
    GenerationRequest,
    LoadParams,
    LoraFile,
    LoraScale,
    Placement,
    SamplingParams,
    TextPrompt,
    TokenizeRequest,
)
from tools.bench_model.adapters import write_lora

MODEL = BUNDLED_MODEL.stem
HELLO = GenerationRequest(
    model=MODEL,
    prompt=ChatPrompt(messages=({"role": "user", "content": "Hello"},)),
    sampling=SamplingParams(temperature=0),
    max_tokens=8,
)
ENDLESS = GenerationRequest(model=MODEL, prompt=TextPrompt(text="a"), ignore_eos=True)


@pytest.fixture
async def engine():
    engine = Engine(EngineConfig(models=((None, BUNDLED_MODEL),), load=LoadParams(parallel=2, threads=1)))
    await engine.start()
    yield engine
    await engine.aclose()


async def answer(engine):
    return await (await engine.generate(HELLO)).result()


async def test_a_killed_worker_fails_its_streams_and_the_next_request_gets_the_same_answer(engine):
    before = await answer(engine)
    streams = [await engine.generate(ENDLESS) for _ in range(2)]
    await anext(streams[0])
    os.kill(engine._pool.ready_workers()[0].connection.pid, signal.SIGKILL)
    for stream in streams:
        with pytest.raises(EngineError, match=r"killed by signal 9 \(SIGKILL\)") as caught:
            await stream.result()
        assert caught.value.code == "worker_died"
    after = await answer(engine)
    assert after.choices == before.choices
    assert after.timings.load_ns > 0


async def test_who_leaves_frees_the_slot_for_who_waits(engine):
    holding = [await engine.generate(ENDLESS) for _ in range(2)]
    waiting = asyncio.create_task(answer(engine))
    for generation in holding:
        await anext(generation)
        generation.close()
    assert (await waiting).usage.completion_tokens > 0
    assert engine.loaded()[0].active_requests == 0


async def test_what_the_worker_says_of_the_model_agrees_with_its_file(engine):
    loaded = await engine.load(MODEL)
    metadata = engine.model(MODEL).metadata
    assert set(loaded.capabilities) == set(metadata.capabilities)
    assert loaded.embedding_length == metadata.embedding_length
    assert loaded.chat_template == metadata.chat_template
    assert loaded.vocabulary_size == metadata.array_lengths["tokenizer.ggml.tokens"]
    tokens = (await engine.tokenize(TokenizeRequest(model=MODEL, text="Hello"))).tokens
    assert all(0 <= token < loaded.vocabulary_size for token in tokens)


async def test_a_file_with_a_good_header_and_too_few_weights_is_a_failed_load_and_no_crash(tmp_path):
    content = bytearray(BUNDLED_MODEL.read_bytes())
    layers = content.index(b"llama.block_count") + len(b"llama.block_count") + 4  # behind the value's type
    content[layers : layers + 4] = (99).to_bytes(4, "little")
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(content)
    engine = Engine(EngineConfig(models=((None, tmp_path),)))
    await engine.start()
    try:
        with pytest.raises(EngineError, match="'broken' could not be loaded") as caught:
            await engine.load("broken")
        assert caught.value.code == "model_load_failed"
    finally:
        await engine.aclose()


async def test_who_leaves_before_a_request_is_prepared_costs_no_preparing(engine):
    await answer(engine)
    # Each of these takes a third of a second to tokenize, only to be found too long.
    long = TokenizeRequest(model=MODEL, text="hello world " * 100_000)
    worker = psutil.Process(engine._pool.ready_workers()[0].connection.pid)
    before = worker.cpu_times().user
    leaving = [asyncio.create_task(engine.tokenize(long)) for _ in range(30)]
    await asyncio.sleep(0.05)
    for task in leaving:
        task.cancel()
    assert (await engine.tokenize(TokenizeRequest(model=MODEL, text="a"))).tokens
    assert worker.cpu_times().user - before < 4, "about what twelve of them take"


async def test_one_file_is_served_under_two_names_each_loaded_its_own_way():
    config = EngineConfig(
        models=(("short", BUNDLED_MODEL), ("long", BUNDLED_MODEL)),
        load=LoadParams(threads=1, ctx_size_tokens=256),
        own_loads={"long": LoadParams(threads=1, ctx_size_tokens=1024)},
        on_demand=("long",),
    )
    engine = Engine(config)
    await engine.start()
    try:
        assert engine.preloads == ("short",)
        assert [(await engine.load(name)).ctx_size_tokens for name in ("short", "long")] == [256, 1024]
    finally:
        await engine.aclose()


async def test_a_model_that_cannot_be_placed_as_asked_fails_to_load_with_the_reason_and_the_log_says_so(caplog):
    servers = Placement(rpc_servers=("127.0.0.1:9",))
    engine = Engine(EngineConfig(models=((None, BUNDLED_MODEL),), load=LoadParams(placement=servers)))
    await engine.start()
    try:
        with pytest.raises(EngineError, match=r"could not be loaded: .*RPC"):
            await engine.load(MODEL)
        async with asyncio.timeout(20):
            while not engine.preload_errors:
                await asyncio.sleep(0.01)
        assert any(record.levelname == "ERROR" and "GGML_RPC" in record.getMessage() for record in caplog.records)
    finally:
        await engine.aclose()


async def test_an_adapters_name_is_a_models_name(tmp_path):
    write_lora(tmp_path / "red.gguf", BUNDLED_MODEL, strength=3.0)
    lora = (LoraFile(name="red", path=str(tmp_path / "red.gguf"), scale=0),)
    config = EngineConfig(models=(("m", BUNDLED_MODEL),), load=LoadParams(threads=1, lora=lora))
    engine = Engine(config)
    await engine.start()
    try:
        assert [entry.name for entry in engine.models()] == ["m", "m:red"]
        wishes = [("m", None), ("m:red", None), ("m", (LoraScale(adapter=0),)), ("m:red", ())]
        requests = [msgspec.structs.replace(HELLO, model=name, lora=lora) for name, lora in wishes]
        plain, by_name, by_number, none = [
            (await (await engine.generate(request)).result()).choices[0].text for request in requests
        ]
        assert plain == none != by_name == by_number
        assert [loaded.name for loaded in engine.loaded()] == ["m"]
        assert (await engine.load("m:red")).capabilities
        with pytest.raises(EngineError, match=r"adapter 1, but this model's are: 0 \(red\)") as refusal:
            await engine.generate(msgspec.structs.replace(HELLO, model="m", lora=(LoraScale(adapter=1),)))
        assert (refusal.value.code, refusal.value.param) == ("invalid_request", "lora")
        await engine.unload("m:red")
        assert not engine.loaded()
    finally:
        await engine.aclose()
