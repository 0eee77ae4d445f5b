"""The benchmark's random models are well-formed files of the shape asked for."""

from dataclasses import replace
from pathlib import Path

import gguf
import numpy as np
import pytest

from engine.chat.answers.formats import tool_format
from engine.chat.prompts.template import ChatTemplate
from tools.bench_model.shapes import PRESETS
from tools.bench_model.tensor import Shape
from tools.bench_model.vocabulary import byte_level_bpe, countable_words, word_piece
from tools.make_bench_model import CHAT_TEMPLATE, write_model

SMALL = {
    "qwen2": Shape("qwen2", 2, 64, 4, 2, 128, 1000, "Q4_0"),
    "llama": Shape("llama", 1, 64, 4, 2, 128, 1000, "Q8_0", tied_output=False),
    "bert": Shape("bert", 1, 64, 4, 4, 128, 1000, "F16", context=32),
}


@pytest.mark.parametrize("architecture", SMALL)
def test_a_file_holds_the_tensors_and_tokens_of_its_shape(tmp_path: Path, architecture: str) -> None:
    shape = SMALL[architecture]
    path = tmp_path / "model.gguf"
    write_model(path, shape, name="small")
    reader = gguf.GGUFReader(path)
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    assert list(tensors["token_embd.weight"].shape) == [64, 1000]
    assert tensors["blk.0.attn_k.weight"].tensor_type.name == shape.quantization
    assert ("output.weight" in tensors) == (architecture == "llama")
    assert ("blk.0.attn_q.bias" in tensors) == (architecture != "llama")
    assert len(reader.fields["tokenizer.ggml.tokens"].data) == 1000


def test_quantized_weights_are_finite_and_of_moderate_size(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    write_model(path, SMALL["qwen2"], name="small")
    tensor = next(tensor for tensor in gguf.GGUFReader(path).tensors if tensor.name == "blk.1.ffn_down.weight")
    weights = gguf.dequantize(tensor.data, tensor.tensor_type)
    assert np.isfinite(weights).all()
    assert weights.std() == pytest.approx(128**-0.5, rel=0.05)
    assert abs(weights.mean()) < 0.05 * weights.std()


def test_the_same_seed_gives_the_same_file_and_another_another(tmp_path: Path) -> None:
    files = []
    for number, seed in enumerate((1, 1, 2)):
        write_model(tmp_path / str(number), SMALL["qwen2"], name="small", seed=seed)
        files.append((tmp_path / str(number)).read_bytes())
    assert files[0] == files[1] != files[2]


def test_a_counting_models_output_is_its_embedding_moved_by_one_token(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    write_model(path, replace(SMALL["qwen2"], tied_output=False, counts=True), name="small")
    tensors = {tensor.name: tensor.data for tensor in gguf.GGUFReader(path).tensors}
    assert np.array_equal(tensors["output.weight"][1:], tensors["token_embd.weight"][:-1])


def test_countable_words_follow_the_line_break_and_are_made_in_one_way_only() -> None:
    vocabulary = countable_words(2000)
    assert len(vocabulary.tokens) == len(set(vocabulary.tokens)) == 2000
    assert vocabulary.tokens[:3] == ["Ċ", "Ġa", "Ġb"]
    lefts_and_rights = [merge.split(" ") for merge in vocabulary.merges]
    assert all(left.startswith("Ġ") and len(right) == 1 for left, right in lefts_and_rights)


def test_byte_level_merges_build_every_token_from_earlier_ones() -> None:
    vocabulary = byte_level_bpe(5000, seed=0)
    known = set(vocabulary.tokens[:256])
    for merge in vocabulary.merges:
        left, right = merge.split(" ")
        assert {left, right} <= known
        known.add(left + right)
    assert known | vocabulary.control | vocabulary.user_defined == set(vocabulary.tokens)
    assert len(vocabulary.tokens) == len(set(vocabulary.tokens)) == 5000


def test_word_pieces_are_distinct() -> None:
    vocabulary = word_piece(3000, seed=0)
    assert len(vocabulary.tokens) == len(set(vocabulary.tokens)) == 3000


def test_heads_divide_the_width_of_every_preset() -> None:
    assert all(shape.width % shape.heads == 0 and shape.heads % shape.kv_heads == 0 for shape in PRESETS.values())


def test_the_chat_template_offers_tools_in_the_hermes_form() -> None:
    template = ChatTemplate(CHAT_TEMPLATE)
    tool = {"type": "function", "function": {"name": "f"}}
    call = {"type": "function", "function": {"name": "f", "arguments": {"x": 1}}}
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "2"},
    ]
    assert tool_format(CHAT_TEMPLATE) is not None
    assert template.render(messages, [tool]) == (
        "<|im_start|>system\nBe brief.\n\nTo call a function, write"
        ' <tool_call>{"name": ..., "arguments": {...}}</tool_call>. The functions:\n'
        '{"type": "function", "function": {"name": "f"}}<|im_end|>\n'
        "<|im_start|>user\nHello<|im_end|>\n"
        '<|im_start|>assistant\n\n<tool_call>\n{"name": "f", "arguments": {"x": 1}}\n</tool_call><|im_end|>\n'
        "<|im_start|>user\n2<|im_end|>\n<|im_start|>assistant\n"
    )
    assert template.render(messages[1:2]) == "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"
