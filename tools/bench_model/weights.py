"""Draws random tensors directly as quantized blocks.

A block is 32 weights: a scale (half precision), then 4 or 8 bits for each. Random bits under a constant scale are random weights. Must
not know models.
"""

from typing import Any

import gguf
import numpy as np
import numpy.typing as npt

from tools.bench_model.tensor import Tensor

QUANTIZATIONS = ("Q4_0", "Q8_0", "F16", "F32")

_UNQUANTIZED: dict[str, type[np.floating[Any]]] = {"F16": np.float16, "F32": np.float32}
_BLOCK_WEIGHTS = 32
_RAW_STANDARD_DEVIATION = {"Q4_0": 4.6, "Q8_0": 73.9}


def kind_of(tensor: Tensor, quantization: str) -> gguf.GGMLQuantizationType:
    """How the tensor is stored: random matrices quantized, everything else in single precision."""
    return gguf.GGMLQuantizationType[quantization if tensor.fill is None else "F32"]


def size_bytes(tensor: Tensor, quantization: str) -> int:
    """The tensor's size in the file."""
    block_weights, block_bytes = gguf.GGML_QUANT_SIZES[kind_of(tensor, quantization)]
    return int(np.prod(tensor.shape)) // block_weights * block_bytes


def draw(tensor: Tensor, quantization: str, generator: np.random.Generator) -> npt.NDArray[Any]:
    """The tensor's content. Random weights have the standard deviation that keeps activations at the size of their input."""
    if tensor.fill is not None:
        return np.full(tensor.shape, tensor.fill, dtype=np.float32)
    deviation = tensor.gain * tensor.shape[-1] ** -0.5
    if quantization in _UNQUANTIZED:
        return generator.normal(0.0, deviation, tensor.shape).astype(_UNQUANTIZED[quantization])
    scale = np.float16(deviation / _RAW_STANDARD_DEVIATION[quantization])
    return _blocks(size_bytes(tensor, quantization), int(np.prod(tensor.shape)) // _BLOCK_WEIGHTS, scale, generator)


def _blocks(total_bytes: int, count: int, scale: np.float16, generator: np.random.Generator) -> npt.NDArray[np.uint8]:
    blocks: npt.NDArray[np.uint8] = (
        np.frombuffer(generator.bytes(total_bytes), dtype=np.uint8).reshape(count, -1).copy()
    )
    # Four bits range from -8 to 7: without scales of both signs the weights' mean would not be 0, and after some layers every token's
    # state would be the same, and greedy answers one token for ever.
    scales = np.where(generator.random(count) < 0.5, scale, -scale).astype(np.float16)
    blocks[:, :2] = scales.view(np.uint8).reshape(count, 2)
    return blocks
