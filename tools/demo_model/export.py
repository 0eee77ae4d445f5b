"""Owns the model file: the trained weights, the vocabulary and the chat template as one GGUF, quantized to Q8_0.

It knows how llama.cpp names and lays out a Llama model, and nothing of training.
"""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

from tools.demo_model.network import Network, Shape
from tools.demo_model.rendering import TEMPLATE_PATH, TEXT_END, TURN_END
from tools.demo_model.skills.texts import FIM_MIDDLE, FIM_PREFIX, FIM_SUFFIX
from tools.demo_model.tokenizer import CONTROL_TOKENS, TAG_TOKENS, Vocabulary

CONTEXT_TOKENS = 2048
Array = NDArray[np.float32]


def write_model(path: Path, network: Network, vocabulary: Vocabulary) -> None:
    """Write the GGUF at `path`, replacing what is there in one step."""
    unfinished = path.with_suffix(".part")
    writer = gguf.GGUFWriter(str(unfinished), "llama")
    _describe(writer, network)
    _add_vocabulary(writer, vocabulary)
    for name, weights in _tensors(network).items():
        _add_tensor(writer, name, weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    unfinished.replace(path)


def _describe(writer: gguf.GGUFWriter, network: Network) -> None:
    shape = network.shape
    writer.add_name("Trueline Demo")
    writer.add_description(
        "A tiny chat model trained by the Trueline project on its own generated corpus, to try the server with."
    )
    writer.add_author("The Trueline project")
    writer.add_license("apache-2.0")
    writer.add_size_label(f"{sum(weights.numel() for weights in network.parameters()) / 1e6:.1f}M")
    writer.add_context_length(CONTEXT_TOKENS)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_rope_dimension_count(shape.head_width)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(shape.norm_epsilon)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def _add_vocabulary(writer: gguf.GGUFWriter, vocabulary: Vocabulary) -> None:
    ids = {token: at for at, token in enumerate(vocabulary.tokens)}
    types = dict.fromkeys(CONTROL_TOKENS, gguf.TokenType.CONTROL) | dict.fromkeys(
        TAG_TOKENS, gguf.TokenType.USER_DEFINED
    )
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(list(vocabulary.tokens))
    writer.add_token_types([types.get(token, gguf.TokenType.NORMAL) for token in vocabulary.tokens])
    writer.add_token_merges([f"{left} {right}" for left, right in vocabulary.merges])
    writer.add_eos_token_id(ids[TURN_END])
    writer.add_bos_token_id(ids[TEXT_END])
    writer.add_pad_token_id(ids[TEXT_END])
    writer.add_add_bos_token(False)
    writer.add_uint32("tokenizer.ggml.eot_token_id", ids[TURN_END])
    for name, token in (("pre", FIM_PREFIX), ("suf", FIM_SUFFIX), ("mid", FIM_MIDDLE)):
        writer.add_uint32(f"tokenizer.ggml.fim_{name}_token_id", ids[token])
    writer.add_chat_template(TEMPLATE_PATH.read_text("utf-8"))


def _tensors(network: Network) -> dict[str, Array]:
    tensors = {"token_embd.weight": _array(network.embedding), "output_norm.weight": _array(network.norm.weight)}
    for at, layer in enumerate(network.layers):
        weights = {
            "attn_norm": layer.attention_norm.weight, "ffn_norm": layer.forward_norm.weight, "attn_v": layer.value,
            "attn_output": layer.output, "ffn_gate": layer.gate, "ffn_up": layer.up, "ffn_down": layer.down,
        }  # fmt: skip
        tensors |= {f"blk.{at}.{name}.weight": _array(value) for name, value in weights.items()}
        for name, value in (("attn_q", layer.query), ("attn_k", layer.key)):
            tensors[f"blk.{at}.{name}.weight"] = _interleaved(_array(value), network.shape)
    return tensors


def _array(weights: object) -> Array:
    return weights.detach().float().cpu().numpy()  # type: ignore[attr-defined,no-any-return]


def _interleaved(weights: Array, shape: Shape) -> Array:
    """llama.cpp rotates neighbouring pairs for this architecture, the network rotates halves: reorder the rows of each head."""
    halves = weights.reshape(shape.heads, 2, shape.head_width // 2, shape.width)
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(weights.shape))


def _add_tensor(writer: gguf.GGUFWriter, name: str, weights: Array) -> None:
    """Matrices as Q8_0; the norms, one row each, stay as they are."""
    if weights.ndim == 1:
        writer.add_tensor(name, weights)
        return
    kind = gguf.GGMLQuantizationType.Q8_0
    writer.add_tensor(name, gguf.quants.quantize(weights, kind), raw_dtype=kind)
