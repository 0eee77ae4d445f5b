"""The encoder converter: what it writes is what was there, and what it can't write it refuses in one line."""

import json

import gguf
import numpy as np
import pytest
from safetensors.numpy import save_file

from tools.convert_encoder import main

CONFIG = {
    "model_type": "bert",
    "hidden_size": 32,
    "intermediate_size": 64,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 16,
    "num_attention_heads": 2,
    "num_hidden_layers": 1,
    "type_vocab_size": 2,
    "vocab_size": 8,
}
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "sky", "##s", "a"]
TOKENIZER = {
    "normalizer": {"lowercase": True},
    "model": {"type": "WordPiece", "vocab": {token: number for number, token in enumerate(VOCABULARY)}},
}
POOLING = {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}
TENSORS = {
    "embeddings.word_embeddings.weight": np.arange(8 * 32, dtype=np.float32).reshape(8, 32),
    "encoder.layer.0.attention.self.query.bias": np.ones(32, dtype=np.float32),
    "pooler.dense.weight": np.ones((32, 32), dtype=np.float32),
}


@pytest.fixture
def encoder(tmp_path):
    """A directory as it is found on model hubs; `write` changes a file of it."""
    (tmp_path / "1_Pooling").mkdir()
    for name, content in (
        ("config.json", CONFIG),
        ("tokenizer.json", TOKENIZER),
        ("1_Pooling/config.json", POOLING),
    ):
        (tmp_path / name).write_text(json.dumps(content))
    save_file(TENSORS, tmp_path / "model.safetensors")
    return tmp_path


def test_the_file_says_what_the_directory_said(encoder):
    assert main([str(encoder), str(encoder / "out.gguf")]) == 0
    reader = gguf.GGUFReader(encoder / "out.gguf")
    values = {name: field.contents() for name, field in reader.fields.items()}
    assert values["bert.context_length"] == 16
    assert values["bert.pooling_type"] == gguf.PoolingType.MEAN
    assert values["tokenizer.ggml.tokens"][4:] == ["[MASK]", "▁sky", "s", "▁a"]
    assert values["tokenizer.ggml.token_type"][4:6] == [gguf.TokenType.CONTROL, gguf.TokenType.NORMAL]
    tensors = {tensor.name: tensor.data for tensor in reader.tensors}
    assert tensors.keys() == {"token_embd.weight", "blk.0.attn_q.bias"}
    assert (tensors["token_embd.weight"].dtype, tensors["blk.0.attn_q.bias"].dtype) == (np.float16, np.float32)
    assert np.array_equal(tensors["token_embd.weight"], TENSORS["embeddings.word_embeddings.weight"])


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("config.json", CONFIG | {"model_type": "t5"}, "it is 't5'"),
        ("config.json", CONFIG | {"vocab_size": 9}, "ids 0 to 8"),
        ("tokenizer.json", {"model": {"type": "BPE", "vocab": {}}}, "it is a BPE"),
        ("tokenizer.json", TOKENIZER | {"normalizer": {"lowercase": False}}, "lower-case"),
        ("1_Pooling/config.json", POOLING | {"pooling_mode_mean_tokens": False}, "pooling_mode_mean_tokens"),
    ],
)
def test_what_it_does_not_know_is_refused_in_one_line(encoder, capsys, file, content, reason):
    (encoder / file).write_text(json.dumps(content))
    assert main([str(encoder), str(encoder / "out.gguf")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert reason in line
    assert str(encoder) in line


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "1_Pooling/config.json", "model.safetensors"])
def test_a_file_that_is_missing_is_named(encoder, capsys, file):
    (encoder / file).unlink()
    assert main([str(encoder), str(encoder / "out.gguf")]) == 1
    assert str(encoder / file) in capsys.readouterr().err


def test_a_tensor_of_another_architecture_is_named(encoder, capsys):
    save_file({"embeddings.strange.weight": np.ones(4, dtype=np.float32)}, encoder / "model.safetensors")
    assert main([str(encoder), str(encoder / "out.gguf")]) == 1
    assert "embeddings.strange.weight" in capsys.readouterr().err
