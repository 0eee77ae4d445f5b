"""Settings: which source wins, where each value came from, and one clear line for each that cannot be used."""

import os
from pathlib import Path

import pytest

from handlers.config import ConfigError, ServerConfig, load, own_values


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in [name for name in os.environ if name.startswith("TRUELINE_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def toml(tmp_path):
    """Writes a configuration file."""

    def write(text):
        path = tmp_path / "trueline.toml"
        path.write_text(text)
        return path

    return write


def test_the_command_line_wins_over_the_environment_over_the_file_over_the_default(toml, monkeypatch):
    monkeypatch.setenv("TRUELINE_PORT", "2")
    monkeypatch.setenv("TRUELINE_PARALLEL", "3")
    path = toml("port = 1\nparallel = 4\nctx_size = 5\n")
    config, origins = load({"port": "9"}, path)
    assert (config.port, config.parallel, config.ctx_size, config.threads) == (9, 3, 5, 0)
    assert origins["port"] == "--port"
    assert origins["parallel"] == "TRUELINE_PARALLEL"
    assert origins["ctx_size"] == str(path)
    assert origins["threads"] == "default"


def test_the_file_may_be_named_by_the_environment(toml, monkeypatch):
    monkeypatch.setenv("TRUELINE_CONFIG", str(toml("port = 7\n")))
    assert load({}).config.port == 7


def test_constructing_settings_reads_no_environment(monkeypatch):
    monkeypatch.setenv("TRUELINE_PORT", "2")
    assert ServerConfig().port == 8000


@pytest.mark.parametrize(
    ("text", "models"),
    [
        ('model = ["a.gguf", "b=c.gguf"]', ("a.gguf", "b=c.gguf")),
        ('model = "a.gguf, b.gguf"', ("a.gguf", "b.gguf")),
    ],
)
def test_several_models_are_a_list_or_separated_by_commas(text, models, toml):
    assert load({}, toml(text)).config.model == models


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("5m", 300), ("1h30m", 5400), ("500ms", 0.5), ("-1", -1), ("-5m", -300)]
)
def test_durations_are_numbers_of_seconds_or_have_units(text, seconds):
    assert load({"keep_alive": text}).config.keep_alive == seconds


@pytest.mark.parametrize(("text", "layers"), [("auto", "auto"), ("all", "all"), ("12", 12)])
def test_gpu_layers_are_a_number_or_auto_or_all(text, layers):
    assert load({"n_gpu_layers": text}).config.n_gpu_layers == layers


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"port": "many"}, ["port", "--port", "'many'"]),
        ({"port": "70000"}, ["port", "65535"]),
        ({"batch_size": "4"}, ["batch_size", "--batch-size", "at least 8", "parallel"]),
        ({"keep_alive": "soon"}, ["keep_alive", "5m"]),
        ({"n_gpu_layers": "most"}, ["n_gpu_layers", "auto", "all"]),
        ({"n_gpu_layers": "-1"}, ["n_gpu_layers", "all"]),
        ({"cache_type_k": "q3_k"}, ["cache_type_k", "'q8_0'", "'f16'"]),
        ({"cache_type_v": "q8_0", "flash_attention": "off"}, ["cache_type_v", "flash_attention"]),
        ({"split_mode": "columns"}, ["split_mode", "'layer'"]),
        ({"main_gpu": "1"}, ["main_gpu", "split_mode none"]),
        ({"prefix_cache_dir": "x", "prefix_cache_mib": "0"}, ["prefix_cache_dir", "prefix_cache_mib above 0"]),
        ({"split_mode": "none", "tensor_split": "1,1"}, ["tensor_split", "split_mode none"]),
        ({"tensor_split": "3,-1"}, ["tensor_split", "3,1"]),
        ({"tensor_split": "0,0"}, ["tensor_split", "3,1"]),
        ({"rpc_server": ("somewhere",)}, ["rpc_server", "HOST:PORT", "'somewhere'"]),
        ({"rope_scaling": "most"}, ["rope_scaling", "'yarn'"]),
        ({"rope_freq_scale": "0"}, ["rope_freq_scale", "greater than 0"]),
        ({"yarn_attn_factor": "1.5"}, ["yarn_attn_factor", "yarn_ext_factor 0"]),
        ({"lora": ("x=a.gguf", "x=b.gguf")}, ["lora", "NAME=FILE", "'x'"]),
        ({"lora": ("x=a.gguf=2000",)}, ["lora", "1000"]),
        ({"control_vector_layers": "9"}, ["control_vector_layers", "FIRST-LAST"]),
        ({"alias": ("gpt",)}, ["alias", "NAME=MODEL", "'gpt'"]),
        ({"numa": "yes"}, ["numa", "'distribute'"]),
        ({"mmap": "maybe"}, ["mmap", "'auto'"]),
        ({"log_level": "loud"}, ["log_level", "'info'"]),
    ],
)
def test_a_bad_value_names_the_setting_its_source_and_what_was_expected(settings, words):
    with pytest.raises(ConfigError) as refusal:
        load(settings)
    assert "\n" not in str(refusal.value)
    assert all(word in str(refusal.value) for word in words)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("prot = 1", "'prot'"),
        ("port = = 1", "TOML"),
        ("[server]\nport = 1", "'server'"),
        ('api_keys = "x"', "'api_keys'"),
    ],
)
def test_a_bad_file_is_named_with_what_is_wrong(text, word, toml):
    path = toml(text)
    with pytest.raises(ConfigError) as refusal:
        load({}, path)
    assert str(path) in str(refusal.value)
    assert word in str(refusal.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="nowhere"):
        load({}, tmp_path / "nowhere.toml")


def test_keys_are_not_shown(monkeypatch):
    monkeypatch.setenv("TRUELINE_API_KEYS", "secret-1,secret-2")
    assert "secret" not in repr(load({}).config)


def test_a_variable_that_is_no_setting_is_refused_as_an_unknown_key_of_the_file_is(monkeypatch):
    monkeypatch.setenv("TRUELINE_CTXSIZE", "4096")
    with pytest.raises(ConfigError, match="no setting for the variable TRUELINE_CTXSIZE"):
        load({})


TABLES = """
ctx_size = 2048
cache_type_k = "q8_0"

[models.short]
file = "a.gguf"
ctx_size = 512

[models.long]
file = "a.gguf"
preload = false
rope_scaling = "yarn"
"""


def test_a_models_table_replaces_what_is_set_for_every_model(toml):
    config = load({"parallel": "3"}, toml(TABLES)).config
    short, long = config.models["short"], config.models["long"]
    assert (short.ctx_size, short.parallel, short.cache_type_k, short.rope_scaling) == (512, 3, "q8_0", None)
    assert (long.ctx_size, long.parallel, long.cache_type_k, long.rope_scaling) == (2048, 3, "q8_0", "yarn")


def test_what_a_models_table_sets_otherwise_can_be_listed(toml):
    assert own_values(load({}, toml(TABLES)).config) == [
        ("models.short.ctx_size", 512),
        ("models.short.file", Path("a.gguf")),
        ("models.long.rope_scaling", "yarn"),
        ("models.long.file", Path("a.gguf")),
        ("models.long.preload", False),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[models.chat]\nctx_siz = 5", ["models.chat.ctx_siz", "no such setting"]),
        ("[models.chat]\nctx_size = -5", ["models.chat.ctx_size", "-5"]),
        ("[models.chat]\nbatch_size = 4", ["models.chat.batch_size", "at least 8"]),
        ("[models.chat]\nport = 4", ["models.chat.port", "no such setting"]),
        ("[models]\nchat = 4", ["models", "[models.chat]"]),
    ],
)
def test_a_bad_value_in_a_models_table_is_named_with_its_model(text, words, toml):
    with pytest.raises(ConfigError) as refusal:
        load({}, toml(text))
    assert "\n" not in str(refusal.value)
    assert all(word in str(refusal.value) for word in words)


def test_tables_of_models_are_for_the_file_only(monkeypatch):
    monkeypatch.setenv("TRUELINE_MODELS", "{}")
    with pytest.raises(ConfigError, match="no setting for the variable TRUELINE_MODELS"):
        load({})
