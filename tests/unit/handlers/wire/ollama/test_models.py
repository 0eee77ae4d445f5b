"""The catalogue, and what is loaded of it, as Ollama's clients see them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from engine import LoadedEntry, LoadedModel
from engine.families import Facts, recognise
from handlers.wire.ollama import models as wire
from tests.unit.handlers.wire.scripted import conforming, entry

DETAILS = {
    "parent_model": "", "format": "gguf", "family": "llama", "families": ["llama"], "parameter_size": "5.2M",
    "quantization_level": "Q8_0", "context_length": 2048, "embedding_length": 256,
}  # fmt: skip
MODEL = LoadedModel(
    ctx_size_tokens=4096, input_limit_tokens=2048, embedding_length=256, vocabulary_size=3,
    capabilities=("completion",), chat_template=None,
    size_bytes=6_000_000, gpu_bytes=1_000_000, gpu_layers=1,
)  # fmt: skip


def test_the_list_shows_names_with_their_tag() -> None:
    listed = conforming(wire.render_list([(entry("demo"), "ab12")]), "ollama", "ListResponse")
    assert listed["models"] == [
        {
            "name": "demo:latest",
            "model": "demo:latest",
            "digest": "ab12",
            "details": DETAILS,
            "size": 5_500_000,
            "modified_at": "2025-11-13T02:13:20.123457Z",
            "capabilities": ["completion", "tools"],
        }
    ]


@pytest.mark.parametrize(
    ("name", "shown"), [("a", "a:latest"), ("a:q8", "a:q8"), ("host:5000/a", "host:5000/a:latest"), ("o/a:1", "o/a:1")]
)
def test_only_a_name_without_tag_gets_one(name: str, shown: str) -> None:
    [model] = wire.render_list([(entry(name), "")])["models"]
    assert model["name"] == shown


@pytest.mark.parametrize("names", [{"model": "demo"}, {"name": "demo"}, {"model": "demo", "name": ""}])
def test_a_model_to_show_may_go_by_the_fields_older_name(names: Any) -> None:
    assert wire.shown_model(conforming(names, "ollama", "ShowRequest")) == "demo"


def test_loaded_models_say_what_they_take_and_until_when() -> None:
    loaded = LoadedEntry("demo", entry("demo"), MODEL, expires_at=1_763_000_060.0, active_requests=1)
    [model] = conforming(wire.render_loaded([(loaded, "ab12")]), "ollama", "PsResponse")["models"]
    assert (model["name"], model["size"], model["size_vram"]) == ("demo:latest", 6_000_000, 1_000_000)
    assert (model["context_length"], model["expires_at"]) == (4096, "2025-11-13T02:14:20.000000Z")


def test_a_model_that_stays_expires_in_a_far_year_that_clients_can_parse() -> None:
    loaded = LoadedEntry("demo", entry("demo"), MODEL, expires_at=None, active_requests=0)
    [model] = wire.render_loaded([(loaded, "")])["models"]
    assert datetime.fromisoformat(model["expires_at"]) > datetime(2300, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("count", "shown"),
    [(999, "999"), (1_000, "1.0K"), (5_240_000, "5.2M"), (999_960_000, "1.0B"), (7_615_616_512, "7.6B")],
)
def test_parameters_are_counted_as_people_do(count: int, shown: str) -> None:
    [model] = wire.render_list([(entry(parameter_count=count), "")])["models"]
    assert model["details"]["parameter_size"] == shown


def test_a_models_description_names_no_path_of_this_machine() -> None:
    shown = conforming(wire.render_show(entry(), None), "ollama", "ShowResponse")
    assert shown["modelfile"] == 'FROM demo:latest\nTEMPLATE """{{ messages }}"""\n'
    assert shown["template"] == "{{ messages }}"
    assert shown["details"] == DETAILS
    assert shown["model_info"] == {
        "general.architecture": "llama",
        "tokenizer.ggml.tokens": None,
        "general.parameter_count": 5_200_000,
    }
    assert (shown["capabilities"], shown["license"]) == (["completion", "tools"], "apache-2.0")
    assert "tensors" not in shown
    assert (shown["parameters"], shown["recognition"]["family"]) == ("", "chatml")


def test_a_models_family_and_its_parameters_are_shown() -> None:
    qwen = recognise(Facts("qwen2"))
    model = entry(chat_template=None, recognition=qwen, sampling=qwen.family.sampling)
    shown = conforming(wire.render_show(model, None), "ollama", "ShowResponse")
    assert shown["template"] == qwen.family.template
    assert shown["details"]["families"] == ["llama", "qwen"]
    lines = dict(line.split() for line in shown["parameters"].splitlines())
    assert lines == {"temperature": "0.7", "top_k": "20", "top_p": "0.8", "repeat_penalty": "1.05"}
    assert shown["modelfile"].endswith("PARAMETER top_p 0.8\nPARAMETER repeat_penalty 1.05\n")
    recognition = shown["recognition"]
    assert (recognition["title"], recognition["reason"]) == ("Qwen", "its architecture is qwen2")
    assert recognition["recommended_quantization"] == "Q4_K_M"
    assert recognition["sampling"] == {"temperature": 0.7, "top_k": 20, "top_p": 0.8, "repeat_penalty": 1.05}


def test_a_verbose_description_has_the_vocabulary_and_the_tensors() -> None:
    shown = conforming(wire.render_show(entry(), {"tokenizer.ggml.tokens": ["a", "b", "c"]}), "ollama", "ShowResponse")
    assert shown["model_info"]["tokenizer.ggml.tokens"] == ["a", "b", "c"]
    assert shown["tensors"] == [{"name": "token_embd.weight", "type": "Q8_0", "shape": [256, 3]}]
