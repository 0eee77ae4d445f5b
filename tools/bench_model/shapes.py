"""The shapes of the benchmark's models: dimensions of real models, and the tensors that their architectures consist of.

Must not know how weights are drawn or written.
"""

from collections.abc import Callable, Iterator

from tools.bench_model.memory_kinds import MEMORY_PRESETS, hybrid_tensors, recurrent_tensors, window_tensors
from tools.bench_model.tensor import Shape, Tensor

PRESETS = {
    "tiny": Shape("qwen2", 4, 256, 4, 2, 1024, 151_936, "Q8_0"),
    "0.5b": Shape("qwen2", 24, 896, 14, 2, 4864, 151_936, "Q4_0"),
    "0.5b-counting": Shape("qwen2", 24, 896, 14, 2, 4864, 151_936, "Q4_0", tied_output=False, counts=True),
    "1b": Shape("llama", 16, 2048, 32, 8, 8192, 128_256, "Q4_0", context=131_072),
    "8b": Shape("llama", 32, 4096, 32, 8, 14_336, 128_256, "Q4_0", context=131_072, tied_output=False),
    "encoder": Shape("bert", 12, 384, 12, 12, 1536, 30_522, "Q8_0", context=512),
    **MEMORY_PRESETS,
    "ranker": Shape("bert", 2, 64, 4, 4, 128, 2048, "F16", context=512, ranked_classes=1),
    "chat-ranker": Shape("qwen3", 2, 64, 4, 2, 128, 2048, "F16", context=2048, ranked_classes=2),
}


def tensors(shape: Shape) -> Iterator[Tensor]:
    """Every tensor of a model of this shape, in file order."""
    yield from _TENSORS.get(shape.architecture, _decoder_tensors)(shape)
    if shape.ranked_classes:
        yield Tensor("cls.output.weight", (shape.ranked_classes, shape.width))


def _decoder_tensors(shape: Shape) -> Iterator[Tensor]:
    width, kv_width = shape.width, shape.kv_width
    gain = 0.0 if shape.counts else 1.0  # of what a layer adds
    yield Tensor("token_embd.weight", (shape.vocabulary, width))
    for layer in range(shape.layers):
        block = f"blk.{layer}"
        yield Tensor(f"{block}.attn_norm.weight", (width,), 1.0)
        for name, rows in (("attn_q", width), ("attn_k", kv_width), ("attn_v", kv_width)):
            yield Tensor(f"{block}.{name}.weight", (rows, width))
            if shape.architecture in ("qwen2", "qwen2vl"):
                yield Tensor(f"{block}.{name}.bias", (rows,), 0.0)
        if shape.architecture == "qwen3":
            yield Tensor(f"{block}.attn_q_norm.weight", (width // shape.heads,), 1.0)
            yield Tensor(f"{block}.attn_k_norm.weight", (width // shape.heads,), 1.0)
        yield Tensor(f"{block}.attn_output.weight", (width, width), gain=gain)
        yield Tensor(f"{block}.ffn_norm.weight", (width,), 1.0)
        yield Tensor(f"{block}.ffn_gate.weight", (shape.feed_forward, width))
        yield Tensor(f"{block}.ffn_up.weight", (shape.feed_forward, width))
        yield Tensor(f"{block}.ffn_down.weight", (width, shape.feed_forward), gain=gain)
    yield Tensor("output_norm.weight", (width,), 1.0)
    if not shape.tied_output:
        yield Tensor("output.weight", (shape.vocabulary, width), shift=1 if shape.counts else 0)


def _encoder_tensors(shape: Shape) -> Iterator[Tensor]:
    width = shape.width
    yield Tensor("token_embd.weight", (shape.vocabulary, width))
    yield Tensor("token_types.weight", (2, width), 0.0)
    yield Tensor("position_embd.weight", (shape.context, width), 0.0)
    yield from _norm("token_embd_norm", width)
    for layer in range(shape.layers):
        block = f"blk.{layer}"
        for name, rows, columns in (
            ("attn_q", width, width),
            ("attn_k", width, width),
            ("attn_v", width, width),
            ("attn_output", width, width),
            ("ffn_up", shape.feed_forward, width),
            ("ffn_down", width, shape.feed_forward),
        ):
            yield Tensor(f"{block}.{name}.weight", (rows, columns))
            yield Tensor(f"{block}.{name}.bias", (rows,), 0.0)
        yield from _norm(f"{block}.attn_output_norm", width)
        yield from _norm(f"{block}.layer_output_norm", width)


def _norm(name: str, width: int) -> Iterator[Tensor]:
    yield Tensor(f"{name}.weight", (width,), 1.0)
    yield Tensor(f"{name}.bias", (width,), 0.0)


_TENSORS: dict[str, Callable[[Shape], Iterator[Tensor]]] = {
    "bert": _encoder_tensors,
    "gemma2": window_tensors,
    "mamba": recurrent_tensors,
    "lfm2": hybrid_tensors,
}
