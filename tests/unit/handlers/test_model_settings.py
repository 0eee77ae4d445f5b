"""Settings of a model become the engine's load parameters, each the one that it names."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from engine import Alias, Attention, Drafting, LoadParams, LoraFile, Placement, Rope, Steering
from handlers.app import engine_config
from handlers.config import ServerConfig
from handlers.model_settings import load_params


def test_every_setting_at_its_default_is_the_engines_default():
    assert load_params(ServerConfig()) == LoadParams()


@pytest.mark.parametrize(
    ("settings", "params"),
    [
        ({"ctx_size": 4096}, LoadParams(ctx_size_tokens=4096)),
        ({"parallel": 3}, LoadParams(parallel=3)),
        ({"batch_size": 100}, LoadParams(batch_tokens=100)),
        ({"micro_batch_size": 64}, LoadParams(micro_batch_tokens=64)),
        ({"threads": 3}, LoadParams(threads=3)),
        ({"threads_batch": 4}, LoadParams(batch_threads=4)),
        ({"prefix_cache_mib": 0}, LoadParams(prefix_cache_bytes=0)),
        (
            {"prefix_cache_dir": "/x", "prefix_cache_dir_mib": 2},
            LoadParams(prefix_cache_dir="/x", prefix_cache_dir_bytes=2 << 20),
        ),
        ({"numa": "isolate"}, LoadParams(placement=Placement(numa="isolate"))),
        ({"n_gpu_layers": "all"}, LoadParams(placement=Placement(n_gpu_layers="all"))),
        ({"split_mode": "row"}, LoadParams(placement=Placement(split_mode="row"))),
        (
            {"split_mode": "none", "main_gpu": "1"},
            LoadParams(placement=Placement(split_mode="none", main_gpu=1)),
        ),
        ({"tensor_split": "3,1"}, LoadParams(placement=Placement(tensor_split=(3.0, 1.0)))),
        (
            {"rpc_server": ("a:1", "[::1]:2")},
            LoadParams(placement=Placement(rpc_servers=("a:1", "[::1]:2"))),
        ),
        ({"mmap": "off", "mlock": True}, LoadParams(placement=Placement(mmap="off", mlock=True))),
        ({"mmproj": "auto"}, LoadParams()),
        ({"mmproj": "none"}, LoadParams(finds_projector=False)),
        ({"mmproj": "/m/mmproj.gguf"}, LoadParams(projector="/m/mmproj.gguf", finds_projector=False)),
        (
            {"image_min_tokens": 8, "image_max_tokens": 64},
            LoadParams(image_min_tokens=8, image_max_tokens=64),
        ),
        ({"media_cache_mib": 1}, LoadParams(media_cache_bytes=1 << 20)),
        ({"prompt_lookup": "off"}, LoadParams(drafting=Drafting(prompt_lookup="off"))),
        ({"draft_model": "/m/small.gguf"}, LoadParams(drafting=Drafting(model="/m/small.gguf"))),
        ({"draft_tokens": 7}, LoadParams(drafting=Drafting(tokens=7))),
        ({"flash_attention": "off"}, LoadParams(attention=Attention(flash="off"))),
        (
            {"cache_type_k": "q8_0", "cache_type_v": "q4_0"},
            LoadParams(attention=Attention(cache_type_k="q8_0", cache_type_v="q4_0")),
        ),
        (
            {"rope_scaling": "linear", "rope_freq_base": 5e5, "rope_freq_scale": 0.5},
            LoadParams(rope=Rope(scaling="linear", freq_base=5e5, freq_scale=0.5)),
        ),
        (
            {"yarn_orig_ctx": 4096, "yarn_ext_factor": 0, "yarn_attn_factor": 1.2},
            LoadParams(rope=Rope(yarn_orig_ctx=4096, yarn_ext_factor=0, yarn_attn_factor=1.2)),
        ),
        (
            {"yarn_beta_fast": 16, "yarn_beta_slow": 2},
            LoadParams(rope=Rope(yarn_beta_fast=16, yarn_beta_slow=2)),
        ),
        (
            {"lora": ("red=a.gguf=0.5", "b.gguf")},
            LoadParams(
                lora=(LoraFile(name="red", path="a.gguf", scale=0.5), LoraFile(name="b", path="b.gguf", scale=1.0))
            ),
        ),
        (
            {"control_vector": ("v.gguf=2", "w.gguf"), "control_vector_layers": "3-9"},
            LoadParams(steering=Steering(vectors=(("v.gguf", 2.0), ("w.gguf", 1.0)), layers=(3, 9))),
        ),
    ],
)
def test_each_setting_is_the_parameter_that_it_names(settings, params):
    assert load_params(ServerConfig(**settings)) == params


def test_a_models_table_is_how_that_model_is_loaded():
    tables = {"chat": {"file": "chat.gguf", "ctx_size": 512}, "code": {"preload": False, "threads": 1}}
    config = engine_config(ServerConfig(models=tables, threads=2))
    assert config.models == (("chat", Path("chat.gguf")),)
    assert config.load_of("chat") == LoadParams(ctx_size_tokens=512, threads=2)
    assert config.load_of("code") == LoadParams(threads=1)
    assert config.load_of("another") == LoadParams(threads=2)
    assert config.on_demand == ("code",)


def test_aliases_are_pairs_of_names_or_tables_with_adapters():
    tables = ("gpt=chat", "hot=chat:red", {"name": "mixed", "model": "chat", "lora": {"red": 0.5}})
    assert engine_config(ServerConfig(alias=tables)).aliases == {
        "gpt": Alias(model="chat"),
        "hot": Alias(model="chat:red"),
        "mixed": Alias(model="chat", lora={"red": 0.5}),
    }


def test_a_chat_template_is_read_from_its_file(tmp_path):
    path = tmp_path / "t.jinja"
    path.write_text("{{ messages }} é", encoding="utf-8")
    config = ServerConfig(models={"chat": {"chat_template": str(path)}})
    assert engine_config(config).load_of("chat") == LoadParams(chat_template="{{ messages }} é")
    assert engine_config(config).load_of("other") == LoadParams()


@pytest.mark.parametrize(
    ("content", "complaint"), [(None, "cannot read it: No such file"), (b"\xff", "not text in UTF-8")]
)
def test_a_chat_template_that_cannot_be_read_is_refused(tmp_path, content, complaint):
    path = tmp_path / "t.jinja"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValidationError, match=complaint):
        ServerConfig(chat_template=str(path))
