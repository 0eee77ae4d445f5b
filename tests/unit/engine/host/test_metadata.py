"""What is told of a model from its file alone."""

import gguf as reference
import pytest

from engine.errors import CatalogError
from engine.host.ggml_types import FILE_TYPES, TENSOR_BLOCKS, TENSOR_TYPES
from engine.host.metadata import read_metadata
from tests.gguf_bytes import gguf, pair, tensor, write_model

TOOLS = "{% if tools %}{{ tools }}{% endif %}"


def read(tmp_path, architecture="llama", **values):
    return read_metadata((write_model(tmp_path / "m.gguf", architecture, **values),))


def test_shape_template_and_license_come_from_the_file(tmp_path):
    metadata = read(
        tmp_path,
        _arch__context_length=4096,
        _arch__embedding_length=64,
        tokenizer__chat_template="{{ messages }}",
        general__license="apache-2.0",
    )
    assert metadata.architecture == "llama"
    assert metadata.context_length == 4096
    assert metadata.embedding_length == 64
    assert metadata.chat_template == "{{ messages }}"
    assert metadata.license == "apache-2.0"
    assert metadata.parameter_count == 64
    assert metadata.quantization == "Q8_0"
    assert metadata.tensors() == [("token_embd.weight", "Q8_0", (32, 2))]
    assert metadata.values["llama.context_length"] == 4096


def test_what_the_file_does_not_say_is_none(tmp_path):
    metadata = read(tmp_path)
    assert (metadata.context_length, metadata.embedding_length) == (None, None)
    assert (metadata.chat_template, metadata.license, metadata.pooling) == (None, None, None)


def test_values_of_the_wrong_type_count_as_not_said(tmp_path):
    metadata = read(tmp_path, _arch__context_length="many", tokenizer__chat_template=7, _arch__pooling_type=99)
    assert (metadata.context_length, metadata.chat_template, metadata.pooling) == (None, None, None)


@pytest.mark.parametrize(
    ("architecture", "values", "capabilities"),
    [
        ("llama", {}, ("completion", "embedding")),
        ("llama", {"tokenizer__chat_template": TOOLS}, ("completion", "embedding", "tools")),
        ("llama", {"tokenizer__chat_template": "<think>"}, ("completion", "embedding", "thinking")),
        ("qwen3", {"tokenizer__chat_template": "{{ enable_thinking }}"}, ("completion", "embedding", "thinking")),
        ("llama", {"tokenizer__chat_template.tool_use": TOOLS}, ("completion", "embedding", "tools")),
        ("llama", {"tokenizer__chat_template": "the toolshed"}, ("completion", "embedding")),
        ("llama", {"tokenizer__chat_template": "{{ .Tools }}{{ .Thinking }}"}, ("completion", "embedding", "tools")),
        ("llama", {"tokenizer__chat_template": "{{ if .IsThinkSet }}"}, ("completion", "embedding", "thinking")),
        ("llama", {"tokenizer__ggml__fim_pre_token_id": 5}, ("completion", "embedding", "insert")),
        ("llama", {"tokenizer__ggml__tokens": ["a"] * 99 + ["<|fim_prefix|>"]}, ("completion", "embedding", "insert")),
        ("bert", {}, ("embedding",)),
        ("nomic-bert", {"_arch__pooling_type": 1}, ("embedding",)),
        ("qwen3", {"_arch__pooling_type": 3}, ("embedding",)),
        ("llama", {"_arch__pooling_type": 0}, ("completion", "embedding")),
        ("bert", {"_arch__pooling_type": 4}, ()),
    ],
)
def test_capabilities_follow_from_architecture_pooling_template_and_vocabulary(
    tmp_path, architecture, values, capabilities
):
    assert read(tmp_path, architecture, **values).capabilities == capabilities


def test_the_family_is_told_from_tokens_names_and_at_last_the_files_name(tmp_path):
    tokens = ["a"] * 99 + ["<start_of_turn>", "<end_of_turn>"]
    named = {"general__name": "Mistral 7B", "tokenizer__ggml__tokens": ["a"] * 99}
    assert read(tmp_path, **named | {"tokenizer__ggml__tokens": tokens}).recognition.family.name == "gemma"
    assert read(tmp_path, **named).recognition.family.name == "mistral-v1"
    by_file = read_metadata((write_model(tmp_path / "Llama-2-7b-chat.Q4_0.gguf"),))
    assert by_file.recognition.family.name == "llama-2"
    assert not read(tmp_path).recognition.is_known


def test_a_known_familys_template_serves_and_counts_where_the_file_has_none(tmp_path):
    qwen = read(tmp_path, "qwen3")
    assert (qwen.chat_template, qwen.conversation_template) == (None, qwen.recognition.family.template)
    assert {"tools", "thinking"} <= set(qwen.capabilities)
    own = read(tmp_path, "qwen3", tokenizer__chat_template="{{ messages }}")
    assert own.conversation_template == "{{ messages }}"
    assert not {"tools", "thinking"} & set(own.capabilities)
    assert read(tmp_path, "bert").conversation_template is None


def test_sampling_is_the_files_own_before_the_familys(tmp_path):
    family = read(tmp_path, "qwen2").sampling
    assert (family.temperature, family.top_k) == (0.7, 20)
    own = read(tmp_path, "qwen2", general__sampling__top_k=7, general__sampling__temp="hot").sampling
    assert (own.temperature, own.top_k) == (0.7, 7)
    absurd = read(tmp_path, "qwen2", general__sampling__top_p=4000).sampling
    assert absurd == family


def test_big_arrays_are_read_only_when_asked_for(tmp_path):
    metadata = read(tmp_path, tokenizer__ggml__tokens=[str(number) for number in range(1000)])
    assert metadata.values["tokenizer.ggml.tokens"] is None
    assert metadata.array_lengths["tokenizer.ggml.tokens"] == 1000
    assert metadata.full_values()["tokenizer.ggml.tokens"][999] == "999"


def test_without_a_file_type_the_quantization_is_that_of_most_parameters(tmp_path):
    path = tmp_path / "m.gguf"
    tensors = [tensor("big", (64, 64), type_code=12), tensor("norm", (64,), type_code=0)]
    path.write_bytes(gguf([pair("general.architecture", "llama")], tensors, weights=bytes(4096)))
    assert read_metadata((path,)).quantization == "Q4_K"


def test_the_parts_of_a_split_model_are_counted_together(tmp_path):
    parts = [tmp_path / f"m-0000{number}-of-00002.gguf" for number in (1, 2)]
    parts[0].write_bytes(gguf([pair("general.architecture", "llama")], [tensor("a", (32, 2))]))
    parts[1].write_bytes(gguf([pair("split.no", 1)], [tensor("b", (32, 4))]))
    metadata = read_metadata(tuple(parts))
    assert metadata.parameter_count == 32 * 6
    assert [shape.name for shape in metadata.tensors()] == ["a", "b"]


@pytest.mark.parametrize(
    ("architecture", "values"),
    [("clip", {}), ("llama", {"general__type": "adapter"}), ("", {})],
    ids=["projector", "adapter", "nothing said"],
)
def test_a_gguf_file_that_is_no_model_is_refused(tmp_path, architecture, values):
    with pytest.raises(CatalogError, match="not a model"):
        read(tmp_path, architecture, **values)


def test_the_names_of_types_are_those_of_the_reference_package():
    tensor_types = {int(member): member.name for member in reference.GGMLQuantizationType}
    file_types = {
        int(member): member.name.removeprefix("ALL_").removeprefix("MOSTLY_")
        for member in reference.LlamaFileType
        if member is not reference.LlamaFileType.GUESSED
    }
    assert tensor_types == TENSOR_TYPES
    assert {int(kind): block for kind, block in reference.GGML_QUANT_SIZES.items()} == TENSOR_BLOCKS
    assert file_types == FILE_TYPES


def test_a_template_that_is_set_replaces_all_of_the_files(tmp_path):
    path = write_model(
        tmp_path / "m.gguf", **{"tokenizer__chat_template": "<think>", "tokenizer__chat_template.tool_use": TOOLS}
    )
    metadata = read_metadata((path,), chat_template="{{ messages }}")
    assert (metadata.chat_template, metadata.capabilities) == ("{{ messages }}", ("completion", "embedding"))
