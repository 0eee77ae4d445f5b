"""Settings: which source wins, where each value came from, and one clear line for each that cannot be used."""

import os

import pytest

from handlers.config import ConfigError, ServerConfig, load


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


@pytest.mark.parametrize(("text", "layers"), [("auto", "auto"), ("12", 12), ("-1", -1)])
def test_gpu_layers_are_a_number_or_auto(text, layers):
    assert load({"n_gpu_layers": text}).config.n_gpu_layers == layers


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"port": "many"}, ["port", "--port", "'many'"]),
        ({"port": "70000"}, ["port", "65535"]),
        ({"batch_size": "4"}, ["batch_size", "--batch-size", "at least 8", "parallel"]),
        ({"keep_alive": "soon"}, ["keep_alive", "5m"]),
        ({"n_gpu_layers": "all"}, ["n_gpu_layers", "auto"]),
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
