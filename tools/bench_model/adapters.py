"""Random LoRA adapters and control vectors for a model file, to test what loads and applies them.

Owns their tensors and metadata. Must not know how the model itself was made.
"""

from collections.abc import Iterator
from pathlib import Path

import gguf
import numpy as np

_TARGETS = ("attn_q.weight", "attn_v.weight", "ffn_down.weight")


def write_lora(path: Path, model: Path, *, rank: int = 4, strength: float = 0.5, seed: int = 0) -> None:
    """An adapter for `model` that changes each target's outputs by about `strength` of their size."""
    reader = gguf.GGUFReader(model)
    draw = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, architecture_of(reader))
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(rank))
    for name, inputs, outputs in _targets(reader):
        # The product of both has entries of the deviation that keeps activations at the size of their input.
        a = draw.normal(0.0, inputs**-0.5, (rank, inputs))
        b = draw.normal(0.0, strength * rank**-0.5, (outputs, rank))
        writer.add_tensor(f"{name}.lora_a", a.astype(np.float32))
        writer.add_tensor(f"{name}.lora_b", b.astype(np.float32))
    _write(writer)


def write_control_vector(path: Path, model: Path, *, strength: float = 1.0, seed: int = 0) -> None:
    """A direction for every layer of `model` but the first, each of length `strength`."""
    reader = gguf.GGUFReader(model)
    draw = np.random.default_rng(seed)
    architecture = architecture_of(reader)
    layers, width = (
        int(reader.fields[f"{architecture}.{key}"].contents()) for key in ("block_count", "embedding_length")
    )
    writer = gguf.GGUFWriter(path, "controlvector")
    writer.add_string("controlvector.model_hint", architecture)
    writer.add_uint32("controlvector.layer_count", layers)
    for layer in range(1, layers):
        direction = draw.normal(size=width)
        direction *= strength / np.linalg.norm(direction)
        writer.add_tensor(f"direction.{layer}", direction.astype(np.float32))
    _write(writer)


def architecture_of(reader: gguf.GGUFReader) -> str:
    """GGUF's `general.architecture` of an open file."""
    return str(reader.fields["general.architecture"].contents())


def _targets(reader: gguf.GGUFReader) -> Iterator[tuple[str, int, int]]:
    """Name, width of the input and of the output of each matrix that an adapter changes."""
    for tensor in reader.tensors:
        if tensor.name.endswith(_TARGETS):
            inputs, outputs = map(int, tensor.shape)
            yield tensor.name, inputs, outputs


def _write(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
