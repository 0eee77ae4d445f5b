"""`python -m tools.make_bench_model PRESET FILE.gguf`: random weights in a real model's shape, to measure speed without a download.

Owns the file's metadata and the command. The shapes, the vocabulary and the weights are `tools/bench_model`'s.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import gguf
import numpy as np

from tools.bench_model.memory_kinds import add_memory_metadata, kv_heads
from tools.bench_model.shapes import PRESETS, tensors
from tools.bench_model.tensor import Shape
from tools.bench_model.vocabulary import Vocabulary, byte_level_bpe, countable_words, word_piece
from tools.bench_model.weights import QUANTIZATIONS, draw, kind_of, size_bytes

CHAT_TEMPLATE = """\
{%- if tools %}
<|im_start|>system
{% if messages[0].role == 'system' %}{{ messages[0].content }}

{% endif %}
To call a function, write <tool_call>{"name": ..., "arguments": {...}}</tool_call>. The functions:
{%- for tool in tools %}

{{ tool | tojson }}
{%- endfor %}<|im_end|>
{% endif %}
{%- for message in messages %}
{%- if not (tools and loop.first and message.role == 'system') %}
<|im_start|>{{ 'user' if message.role == 'tool' else message.role }}
{{ message.content or '' }}
{%- for call in message.tool_calls or [] %}

<tool_call>
{"name": {{ call.function.name | tojson }}, "arguments": {{ call.function.arguments | tojson }}}
</tool_call>
{%- endfor %}<|im_end|>
{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}
<|im_start|>assistant
{% endif %}"""

_BEGINNING = "<s>"

RERANK_TEMPLATE = """\
<|im_start|>system
Does the document answer the query? Say yes or no.<|im_end|>
<|im_start|>user
Query: {query}
Document: {document}<|im_end|>
<|im_start|>assistant
"""


def write_model(
    path: Path, shape: Shape, *, name: str, seed: int = 0, marks: Sequence[str] = (), pre_tokenizer: str = "qwen2"
) -> None:
    """Writes the file, tensor by tensor: memory holds one at a time. The same seed gives the same file.

    `marks`: the control tokens of a model without a chat template; the first ends a text, `<s>` begins one.
    """
    writer = gguf.GGUFWriter(path, shape.architecture)
    _add_dimensions(writer, shape, name)
    if shape.architecture == "bert":
        _add_encoder_tokenizer(writer, word_piece(shape.vocabulary, seed))
    elif marks:
        _add_decoder_tokenizer(writer, byte_level_bpe(shape.vocabulary, seed, marks), marks[0], marks[0], pre_tokenizer)
    else:
        size = shape.vocabulary
        vocabulary = countable_words(size) if shape.counts else byte_level_bpe(size, seed)
        _add_decoder_tokenizer(writer, vocabulary, "<|im_end|>", "<|endoftext|>", pre_tokenizer)
        writer.add_chat_template(_templates(shape))
    _write_tensors(writer, shape, seed)
    writer.close()


def _add_dimensions(writer: gguf.GGUFWriter, shape: Shape, name: str) -> None:
    writer.add_name(name)
    writer.add_description("random weights, for measuring speed")
    writer.add_file_type(
        gguf.LlamaFileType["ALL_F32" if shape.quantization == "F32" else f"MOSTLY_{shape.quantization}"]
    )
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(kv_heads(shape))
    writer.add_vocab_size(shape.vocabulary)
    if shape.architecture == "bert":
        writer.add_layer_norm_eps(1e-12)
        writer.add_causal_attention(False)
        writer.add_pooling_type(gguf.PoolingType.RANK if shape.ranked_classes else gguf.PoolingType.MEAN)
    else:
        writer.add_layer_norm_rms_eps(1e-6)
        writer.add_rope_freq_base(1_000_000.0)
        writer.add_rope_dimension_count(shape.width // shape.heads)
        add_memory_metadata(writer, shape)
        if shape.ranked_classes:
            writer.add_pooling_type(gguf.PoolingType.RANK)
            writer.add_classifier_output_labels(["yes", "no"])


def _add_decoder_tokenizer(
    writer: gguf.GGUFWriter, vocabulary: Vocabulary, end: str, padding: str, pre_tokenizer: str
) -> None:
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre_tokenizer)
    _add_tokens(writer, vocabulary)
    writer.add_token_merges(vocabulary.merges)
    if _BEGINNING in vocabulary.control:
        writer.add_bos_token_id(vocabulary.id_of(_BEGINNING))
    writer.add_eos_token_id(vocabulary.id_of(end))
    writer.add_pad_token_id(vocabulary.id_of(padding))
    writer.add_add_bos_token(False)


def _templates(shape: Shape) -> str | list[dict[str, str]]:
    if not shape.ranked_classes:
        return CHAT_TEMPLATE
    return [{"name": "default", "template": CHAT_TEMPLATE}, {"name": "rerank", "template": RERANK_TEMPLATE}]


def _add_encoder_tokenizer(writer: gguf.GGUFWriter, vocabulary: Vocabulary) -> None:
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    _add_tokens(writer, vocabulary)
    writer.add_token_type_count(2)
    writer.add_pad_token_id(vocabulary.id_of("[PAD]"))
    writer.add_unk_token_id(vocabulary.id_of("[UNK]"))
    writer.add_bos_token_id(vocabulary.id_of("[CLS]"))
    writer.add_sep_token_id(vocabulary.id_of("[SEP]"))
    writer.add_eos_token_id(vocabulary.id_of("[SEP]"))
    writer.add_mask_token_id(vocabulary.id_of("[MASK]"))


def _add_tokens(writer: gguf.GGUFWriter, vocabulary: Vocabulary) -> None:
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types([_token_type(token, vocabulary) for token in vocabulary.tokens])


def _token_type(token: str, vocabulary: Vocabulary) -> gguf.TokenType:
    if token in vocabulary.control:
        return gguf.TokenType.CONTROL
    return gguf.TokenType.USER_DEFINED if token in vocabulary.user_defined else gguf.TokenType.NORMAL


def _write_tensors(writer: gguf.GGUFWriter, shape: Shape, seed: int) -> None:
    generator = np.random.default_rng(seed)
    for tensor in tensors(shape):
        kind = kind_of(tensor, shape.quantization)
        size = size_bytes(tensor, shape.quantization)
        writer.add_tensor_info(tensor.name, tensor.shape, np.dtype(np.float32), size, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for tensor in tensors(shape):
        if tensor.shift:  # of the first tensor that was drawn: drawn once more, so that memory holds one at a time
            first = draw(tensor, shape.quantization, np.random.default_rng(seed))
            writer.write_tensor_data(np.roll(first.reshape(tensor.shape[0], -1), tensor.shift, axis=0))
        else:
            writer.write_tensor_data(draw(tensor, shape.quantization, generator))


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make_bench_model", description="Write a GGUF model with random weights.")
    parser.add_argument("preset", choices=PRESETS)
    parser.add_argument("file", type=Path)
    parser.add_argument("--quantization", choices=QUANTIZATIONS, help="of the matrices (default: the preset's)")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Write one model."""
    arguments = _arguments(argv)
    shape = PRESETS[arguments.preset]
    if arguments.quantization:
        shape = replace(shape, quantization=arguments.quantization)
    start = time.perf_counter()
    write_model(arguments.file, shape, name=f"bench-{arguments.preset}", seed=arguments.seed)
    size = arguments.file.stat().st_size
    print(f"{arguments.file}: {size / 2**20:,.0f} MiB in {time.perf_counter() - start:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
