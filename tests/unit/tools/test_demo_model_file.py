"""The bundled model file: what it promises to llama.cpp, and that it is the one this project's tools make."""

from pathlib import Path

import gguf
import pytest

from tools.demo_model.rendering import TEMPLATE_PATH
from tools.demo_model.tokenizer import CONTROL_TOKENS, TAG_TOKENS, byte_spellings

BUNDLED = Path(__file__).parents[3] / "engine" / "bundled" / "trueline-demo.gguf"


@pytest.fixture(scope="module")
def fields():
    return {name: field.contents() for name, field in gguf.GGUFReader(BUNDLED).fields.items()}


def test_it_is_at_most_8_mib():
    assert BUNDLED.stat().st_size <= 8 * 2**20


def test_its_chat_template_is_the_one_it_was_trained_with(fields):
    assert fields["tokenizer.chat_template"] == TEMPLATE_PATH.read_text("utf-8")


def test_it_is_a_llama_whose_vocabulary_spells_every_byte(fields):
    assert fields["general.architecture"] == "llama"
    assert set(byte_spellings()) <= set(fields["tokenizer.ggml.tokens"])


@pytest.mark.parametrize(
    ("tokens", "kind"), [(CONTROL_TOKENS, gguf.TokenType.CONTROL), (TAG_TOKENS, gguf.TokenType.USER_DEFINED)]
)
def test_marks_of_turns_are_never_printed_and_tags_of_tools_are(fields, tokens, kind):
    kinds = dict(zip(fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.token_type"], strict=True))
    assert {kinds[token] for token in tokens} == {kind}


def test_it_names_the_tokens_that_end_a_turn_and_fill_a_gap(fields):
    tokens = fields["tokenizer.ggml.tokens"]
    named = [tokens[fields[f"tokenizer.ggml.{name}_token_id"]] for name in ("eos", "fim_pre", "fim_suf", "fim_mid")]
    assert named == ["<|im_end|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"]
