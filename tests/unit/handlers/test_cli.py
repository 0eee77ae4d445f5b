"""The command line's options are the settings; what fails is one line."""

import os

import pytest
from click.testing import CliRunner

from handlers.cli import main
from handlers.config import NOT_ON_COMMAND_LINE, ServerConfig


@pytest.fixture
def trueline(monkeypatch):
    """Runs a command without any setting in the environment."""
    for name in [name for name in os.environ if name.startswith("TRUELINE_")]:
        monkeypatch.delenv(name)
    return lambda *arguments: CliRunner().invoke(main, arguments)


def test_every_setting_is_an_option_with_its_meaning(trueline):
    text = trueline("serve", "--help").output
    for name, field in ServerConfig.model_fields.items():
        if name not in NOT_ON_COMMAND_LINE:
            assert f"--{name.replace('_', '-')}" in text
            assert field.description.split()[0] in text
    assert "--api-keys" not in text


def test_config_prints_value_and_origin_of_every_setting(trueline):
    run = trueline("config", "--port", "9001", "--model", "a.gguf", "--model", "b.gguf", "--strict", "--no-allow-open")
    rows = {line.split()[0]: line.split()[1:] for line in run.output.splitlines()}
    assert rows["port"] == ["9001", "--port"]
    assert rows["model"] == ["a.gguf,b.gguf", "--model"]
    assert rows["strict"] == ["true", "--strict"]
    assert rows["allow_open"] == ["false", "--allow-open"]
    assert rows["host"] == ["127.0.0.1", "default"]
    assert set(rows) == set(ServerConfig.model_fields)


def test_config_does_not_show_keys(trueline, monkeypatch):
    monkeypatch.setenv("TRUELINE_API_KEYS", "secret")
    assert "secret" not in trueline("config").output


@pytest.mark.parametrize("command", ["serve", "config"])
def test_a_bad_setting_is_one_line_and_exit_code_2(command, trueline):
    run = trueline(command, "--port", "many")
    assert run.exit_code == 2
    assert run.stderr.startswith("trueline: port (from --port): ")
    assert run.stderr.count("\n") == 1


def test_the_version_is_the_packages(trueline):
    assert trueline("--version").output.startswith("trueline 0.")
