"""Models whose memory is more than keys and values of a row of tokens: sliding windows, running states, both, and positions in a picture.

Small, and of full precision so that the order of work changes no answer: they are for tests of what a server keeps of a sequence.
Owns their tensors and metadata. Must not know how weights are drawn.
"""

from collections.abc import Iterator

import gguf

from tools.bench_model.tensor import Shape, Tensor

WINDOW_TOKENS = 24

_STATE_SIZE = 16
_CONVOLUTION = 4
_STEP_RANK = 32
_SHORT_CONVOLUTION = 3
_ROPE_SECTIONS = [4, 6, 6, 0]
"""Pairs of a head's dimensions that are rotated by time, row and column."""

MEMORY_PRESETS = {
    "test-attention": Shape("llama", 3, 64, 2, 1, 128, 512, "F32", context=4096),
    "test-window": Shape("gemma2", 4, 64, 2, 1, 128, 512, "F32", context=4096),
    "test-recurrent": Shape("mamba", 3, 64, 1, 1, 0, 512, "F32", context=4096),
    "test-mrope": Shape("qwen2vl", 3, 64, 2, 1, 128, 512, "F32", context=4096),
    "test-hybrid": Shape("lfm2", 4, 64, 2, 1, 128, 512, "F32", context=4096),
}


def add_memory_metadata(writer: gguf.GGUFWriter, shape: Shape) -> None:
    """What the file says of the architecture beyond the usual dimensions."""
    match shape.architecture:
        case "gemma2":
            writer.add_sliding_window(WINDOW_TOKENS)
            writer.add_attn_logit_softcapping(50.0)
            writer.add_final_logit_softcapping(30.0)
        case "qwen2vl":
            writer.add_rope_dimension_sections(_ROPE_SECTIONS)
        case "mamba":
            writer.add_ssm_conv_kernel(_CONVOLUTION)
            writer.add_ssm_inner_size(2 * shape.width)
            writer.add_ssm_state_size(_STATE_SIZE)
            writer.add_ssm_time_step_rank(_STEP_RANK)
        case "lfm2":
            writer.add_shortconv_l_cache(_SHORT_CONVOLUTION)


def kv_heads(shape: Shape) -> int | list[int]:
    """Heads of keys and values, of each layer where not all have some."""
    if shape.architecture != "lfm2":
        return shape.kv_heads
    return [shape.kv_heads if _attends(layer) else 0 for layer in range(shape.layers)]


def window_tensors(shape: Shape) -> Iterator[Tensor]:
    """Gemma 2: every other layer sees a window only."""
    yield Tensor("token_embd.weight", (shape.vocabulary, shape.width))
    for layer in range(shape.layers):
        block = f"blk.{layer}"
        yield from _attention(block, shape)
        yield Tensor(f"{block}.post_attention_norm.weight", (shape.width,), 1.0)
        yield from _feed_forward(block, shape)
        yield Tensor(f"{block}.post_ffw_norm.weight", (shape.width,), 1.0)
    yield Tensor("output_norm.weight", (shape.width,), 1.0)


def recurrent_tensors(shape: Shape) -> Iterator[Tensor]:
    """Mamba: a state that each token changes, and no keys or values."""
    width, inner = shape.width, 2 * shape.width
    yield Tensor("token_embd.weight", (shape.vocabulary, width))
    for layer in range(shape.layers):
        block = f"blk.{layer}"
        yield Tensor(f"{block}.attn_norm.weight", (width,), 1.0)
        yield Tensor(f"{block}.ssm_in.weight", (2 * inner, width))
        yield Tensor(f"{block}.ssm_conv1d.weight", (inner, _CONVOLUTION), 1 / _CONVOLUTION)
        yield Tensor(f"{block}.ssm_conv1d.bias", (inner,), 0.0)
        yield Tensor(f"{block}.ssm_x.weight", (_STEP_RANK + 2 * _STATE_SIZE, inner))
        yield Tensor(f"{block}.ssm_dt.weight", (inner, _STEP_RANK))
        yield Tensor(f"{block}.ssm_dt.bias", (inner,), -4.0)
        yield Tensor(f"{block}.ssm_a", (inner, _STATE_SIZE), -0.5)
        yield Tensor(f"{block}.ssm_d", (inner,), 1.0)
        yield Tensor(f"{block}.ssm_out.weight", (width, inner))
    yield Tensor("output_norm.weight", (width,), 1.0)


def hybrid_tensors(shape: Shape) -> Iterator[Tensor]:
    """LFM 2: layers with a short convolution's state, and layers that attend."""
    width = shape.width
    yield Tensor("token_embd.weight", (shape.vocabulary, width))
    for layer in range(shape.layers):
        block = f"blk.{layer}"
        if _attends(layer):
            yield from _attention(block, shape)
            for name in ("attn_q_norm", "attn_k_norm"):
                yield Tensor(f"{block}.{name}.weight", (width // shape.heads,), 1.0)
        else:
            yield Tensor(f"{block}.attn_norm.weight", (width,), 1.0)
            yield Tensor(f"{block}.shortconv.conv.weight", (width, _SHORT_CONVOLUTION), 1 / _SHORT_CONVOLUTION)
            yield Tensor(f"{block}.shortconv.in_proj.weight", (3 * width, width))
            yield Tensor(f"{block}.shortconv.out_proj.weight", (width, width))
        yield from _feed_forward(block, shape)
    yield Tensor("token_embd_norm.weight", (width,), 1.0)


def _attends(layer: int) -> bool:
    return layer % 2 == 1


def _attention(block: str, shape: Shape) -> Iterator[Tensor]:
    width, kv_width = shape.width, shape.kv_width
    yield Tensor(f"{block}.attn_norm.weight", (width,), 1.0)
    for name, rows in (("attn_q", width), ("attn_k", kv_width), ("attn_v", kv_width), ("attn_output", width)):
        yield Tensor(f"{block}.{name}.weight", (rows, width))


def _feed_forward(block: str, shape: Shape) -> Iterator[Tensor]:
    width = shape.width
    yield Tensor(f"{block}.ffn_norm.weight", (width,), 1.0)
    yield Tensor(f"{block}.ffn_gate.weight", (shape.feed_forward, width))
    yield Tensor(f"{block}.ffn_up.weight", (shape.feed_forward, width))
    yield Tensor(f"{block}.ffn_down.weight", (width, shape.feed_forward))
