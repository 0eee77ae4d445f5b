"""Each load parameter reaches llama.cpp: seen in what llama.cpp says of its context, or in what the model then computes."""

import logging

import llama_cpp
import msgspec
import pytest

from engine.config import Attention, LoadParams, Placement, Rope
from engine.events import TextDelta
from engine.llama.library import LlamaError
from tests.process.worker.inprocess import InProcess, load, request

PROMPT = "The quick brown fox jumps over the lazy dog, and then it says that the capital of France is"
YARN = Rope(scaling="yarn", freq_scale=0.5, yarn_orig_ctx=256)

YARN_INTERPOLATED = msgspec.structs.replace(YARN, yarn_ext_factor=0.0)


@pytest.fixture
def said(caplog):
    """What llama.cpp logs while a model is loaded with these parameters."""

    def load_and_listen(**params):
        caplog.clear()
        with caplog.at_level(logging.DEBUG, "llama"), load(**params):
            pass
        return {" ".join(record.getMessage().split()) for record in caplog.records}

    return load_and_listen


def first_logprob(**params):
    """The log probability of what the answer could most likely begin with instead: it tells one computation from another."""
    with load(**params) as worker:
        answer = InProcess(worker).run(request(PROMPT, max_tokens=1, logprobs=2))[0]
    (delta,) = [event for event in answer.events if isinstance(event, TextDelta)]
    return delta.logprobs[0].top[1].logprob


@pytest.mark.parametrize(
    ("params", "line"),
    [
        ({"ctx_size_tokens": 1024}, "llama_context: n_ctx = 1024"),
        ({"batch_tokens": 96}, "llama_context: n_batch = 96"),
        ({"batch_tokens": 96, "micro_batch_tokens": 32}, "llama_context: n_ubatch = 32"),
        ({"batch_tokens": 16, "micro_batch_tokens": 32}, "llama_context: n_ubatch = 16"),
        ({"attention": Attention(flash="on")}, "llama_context: flash_attn = enabled"),
        ({"attention": Attention(flash="off")}, "llama_context: flash_attn = disabled"),
        ({"attention": Attention(flash="auto")}, "llama_context: flash_attn = auto"),
        ({"rope": Rope(freq_base=5e5)}, "llama_context: freq_base = 500000.0"),
        ({"rope": Rope(freq_scale=0.25)}, "llama_context: freq_scale = 0.25"),
    ],
)
def test_the_context_is_as_it_was_asked_for(params, line, said):
    assert line in said(**params)


@pytest.mark.parametrize(
    ("placement", "mode"),
    [
        (Placement(), "mmap"),
        (Placement(mmap="on"), "mmap"),
        (Placement(mmap="off"), "none"),
        (Placement(mmap="off", mlock=True), "mlock"),
        (Placement(mlock=True), "mmap+mlock"),
    ],
)
def test_the_file_is_read_as_it_was_asked_for(placement, mode, said):
    loading = next(line for line in said(placement=placement) if "load_mode" in line)
    assert f"load_mode = {mode})" in loading


@pytest.mark.parametrize("kind", ["f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"])
def test_keys_and_values_are_kept_as_asked(kind, said):
    cache = next(
        line
        for line in said(attention=Attention(cache_type_k=kind, cache_type_v=kind))
        if line.startswith("llama_kv_cache: size")
    )
    assert f"K ({kind})" in cache
    assert f"V ({kind})" in cache


def test_a_model_answers_alike_from_a_cache_of_eight_bits():
    with load() as exact, load(attention=Attention(cache_type_k="q8_0", cache_type_v="q8_0")) as rounded:
        whole, short = (InProcess(worker).run(request(PROMPT))[0].text for worker in (exact, rounded))
    assert whole[:10] == short[:10]


def test_quantized_values_without_flash_attention_are_refused_with_the_reason():
    with pytest.raises(LlamaError, match="V cache requires flash_attn"):
        load(attention=Attention(flash="off", cache_type_v="q8_0"))


def test_threads_for_single_tokens_and_for_prompts_are_set_apart():
    with load(threads=1, batch_threads=2) as worker:
        handle = worker.generator._context.handle
        assert (llama_cpp.llama_n_threads(handle), llama_cpp.llama_n_threads_batch(handle)) == (1, 2)
    with load(threads=2) as worker:
        assert llama_cpp.llama_n_threads_batch(worker.generator._context.handle) == 2


@pytest.mark.parametrize(
    ("base", "changed"),
    [
        (Rope(), Rope(scaling="linear", freq_scale=0.5)),
        (Rope(), Rope(freq_base=5e5)),
        (Rope(scaling="linear", freq_scale=0.5), YARN),
        (YARN, msgspec.structs.replace(YARN, yarn_orig_ctx=64)),
        (YARN, YARN_INTERPOLATED),
        (YARN_INTERPOLATED, msgspec.structs.replace(YARN_INTERPOLATED, yarn_attn_factor=1.5)),
        (YARN, msgspec.structs.replace(YARN, yarn_beta_fast=1.5)),
        (YARN, msgspec.structs.replace(YARN, yarn_beta_slow=0.1)),
    ],
)
def test_positions_are_stretched_as_asked(base, changed):
    assert first_logprob(rope=base) != first_logprob(rope=changed)


@pytest.mark.parametrize("numa", ["off", "distribute"])
def test_a_model_answers_under_every_spreading_over_memory_nodes(numa):
    assert first_logprob(placement=Placement(numa=numa)) < 0


@pytest.mark.skipif(llama_cpp.llama_supports_gpu_offload(), reason="there is a GPU")
@pytest.mark.parametrize(
    ("placement", "words"),
    [
        (Placement(n_gpu_layers=3), "n_gpu_layers is 3"),
        (Placement(n_gpu_layers="all"), "n_gpu_layers is all"),
        (Placement(split_mode="row"), "split_mode is row"),
        (Placement(split_mode="none", main_gpu=0), "split_mode is none"),
        (Placement(tensor_split=(1.0, 1.0)), "tensor_split is"),
    ],
)
def test_what_needs_a_gpu_is_refused_without_one(placement, words):
    with pytest.raises(LlamaError, match=f"{words}.*without a GPU"):
        load(placement=placement)


@pytest.mark.skipif(llama_cpp.llama_supports_rpc(), reason="this build has the RPC backend")
def test_rpc_servers_are_refused_where_llama_cpp_was_built_without():
    with pytest.raises(LlamaError, match="GGML_RPC"):
        load(placement=Placement(rpc_servers=("127.0.0.1:50052",)))


def test_load_parameters_survive_the_way_to_the_worker():
    params = LoadParams(
        placement=Placement(n_gpu_layers=7, tensor_split=(3.0, 1.0), rpc_servers=("a:1",), mlock=True), rope=YARN
    )
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(params), type=LoadParams) == params
