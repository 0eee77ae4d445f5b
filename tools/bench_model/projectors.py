"""Random projectors: the encoders that turn pictures and sound into a model's embeddings, in the forms that llama.cpp's mtmd reads.

Small, and of full precision, for tests of the way from a picture to an answer. Owns their tensors and metadata (llama.cpp's
tools/mtmd/clip.cpp). Must not know how the model that they belong to was made.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import gguf
import numpy as np

from tools.bench_model.tensor import Tensor
from tools.bench_model.weights import draw

Sight = Literal["mlp", "gemma3", "qwen2vl_merger"]
Hearing = Literal["ultravox"]

_WIDTH = 64
_HEADS = 2
_FEED_FORWARD = 128
_LAYERS = 2
_PATCH_PIXELS = 14
_IMAGE_PIXELS = 112
_COLOURS = 3
_MEL_BINS = 32
_WHISPER_FRAMES = 1500
"""What a Whisper encoder makes of each 30 seconds."""
_STACKED_FRAMES = 60
_POOLED_SIDE = 2


@dataclass(frozen=True)
class Projector:
    """What a projector takes: pictures by the encoder `sight`, sound by the encoder `hearing`, or both.

    Of a picture `mlp` makes a vector for each patch, `gemma3` one for each four, which see each other, and `qwen2vl_merger` one for
    each four of as many patches as the picture has, at positions in two dimensions.
    """

    sight: Sight | None = None
    hearing: Hearing | None = None


PROJECTORS = {
    "vision": Projector(sight="mlp"),
    "vision-pooled": Projector(sight="gemma3"),
    "vision-mrope": Projector(sight="qwen2vl_merger"),
    "audio": Projector(hearing="ultravox"),
    "omni": Projector(sight="mlp", hearing="ultravox"),
}


def write_projector(path: Path, projector: Projector, *, model_width: int, seed: int = 0) -> None:
    """A projector for models whose embeddings have `model_width` numbers. The same seed gives the same file."""
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_type("mmproj")
    writer.add_bool("clip.has_vision_encoder", projector.sight is not None)
    writer.add_bool("clip.has_audio_encoder", projector.hearing is not None)
    writer.add_bool("clip.use_gelu", True)
    if projector.sight is not None:
        _add_sight(writer, projector.sight, model_width)
    if projector.hearing is not None:
        _add_hearing(writer, projector.hearing, model_width)
    generator = np.random.default_rng(seed)
    for tensor in _tensors(projector, model_width):
        # llama.cpp unfolds sound for a convolution in half precision only.
        precision = "F16" if ".conv1d." in tensor.name and tensor.fill is None else "F32"
        writer.add_tensor(tensor.name, draw(tensor, precision, generator))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_sight(writer: gguf.GGUFWriter, sight: Sight, model_width: int) -> None:
    _add_dimensions(writer, "vision", sight, model_width)
    writer.add_uint32("clip.vision.image_size", _IMAGE_PIXELS)
    writer.add_uint32("clip.vision.patch_size", _PATCH_PIXELS)
    writer.add_array("clip.vision.image_mean", [0.5] * _COLOURS)
    writer.add_array("clip.vision.image_std", [0.5] * _COLOURS)
    if sight == "gemma3":
        writer.add_uint32("clip.vision.projector.scale_factor", _POOLED_SIDE)


def _add_hearing(writer: gguf.GGUFWriter, hearing: Hearing, model_width: int) -> None:
    _add_dimensions(writer, "audio", hearing, model_width)
    writer.add_uint32("clip.audio.num_mel_bins", _MEL_BINS)
    writer.add_uint32("clip.audio.projector.stack_factor", _STACKED_FRAMES)


def _add_dimensions(writer: gguf.GGUFWriter, sense: str, projector_type: str, model_width: int) -> None:
    writer.add_string(f"clip.{sense}.projector_type", projector_type)
    writer.add_uint32(f"clip.{sense}.embedding_length", _WIDTH)
    writer.add_uint32(f"clip.{sense}.feed_forward_length", _FEED_FORWARD)
    writer.add_uint32(f"clip.{sense}.block_count", _LAYERS)
    writer.add_uint32(f"clip.{sense}.projection_dim", model_width)
    writer.add_uint32(f"clip.{sense}.attention.head_count", _HEADS)
    writer.add_float32(f"clip.{sense}.attention.layer_norm_epsilon", 1e-5)


def _tensors(projector: Projector, model_width: int) -> Iterator[Tensor]:
    if projector.sight is not None:
        yield from _sight_tensors(projector.sight, model_width)
    if projector.hearing is not None:
        yield from _hearing_tensors(model_width)


def _sight_tensors(sight: Sight, model_width: int) -> Iterator[Tensor]:
    patch = (_WIDTH, _COLOURS, _PATCH_PIXELS, _PATCH_PIXELS)
    yield Tensor("v.patch_embd.weight", patch, gain=0.1)
    if sight == "qwen2vl_merger":
        yield Tensor("v.patch_embd.weight.1", patch, gain=0.1)
    else:
        yield Tensor("v.patch_embd.bias", (_WIDTH,), 0.0)
        yield Tensor("v.position_embd.weight", ((_IMAGE_PIXELS // _PATCH_PIXELS) ** 2, _WIDTH), gain=2.0)
    for layer in range(_LAYERS):
        yield from _layer("v", layer, ("attn_q", "attn_k", "attn_v", "attn_out"))
    yield from _norm("v.post_ln")
    match sight:
        case "mlp":
            yield from _linear("mm.0", model_width, _WIDTH)
            yield from _linear("mm.2", model_width, model_width)
        case "gemma3":
            yield Tensor("mm.input_projection.weight", (_WIDTH, model_width))
            yield Tensor("mm.soft_emb_norm.weight", (_WIDTH,), 1.0)
        case "qwen2vl_merger":
            merged = _POOLED_SIDE**2 * _WIDTH
            yield from _linear("mm.0", merged, merged)
            yield from _linear("mm.2", model_width, merged)


def _hearing_tensors(model_width: int) -> Iterator[Tensor]:
    yield Tensor("a.position_embd.weight", (_WHISPER_FRAMES, _WIDTH), gain=2.0)
    for number, inputs in ((1, _MEL_BINS), (2, _WIDTH)):
        yield Tensor(f"a.conv1d.{number}.weight", (_WIDTH, inputs, 3), gain=0.3)
        yield Tensor(f"a.conv1d.{number}.bias", (_WIDTH, 1), 0.0)
    for layer in range(_LAYERS):
        yield from _layer("a", layer, ("attn_q", "attn_v", "attn_out"))
        yield Tensor(f"a.blk.{layer}.attn_k.weight", (_WIDTH, _WIDTH))
    yield from _norm("a.post_ln")
    stacked, hidden = _STACKED_FRAMES * _WIDTH, _FEED_FORWARD
    yield Tensor("mm.a.norm_pre.weight", (stacked,), 1.0)
    yield Tensor("mm.a.mlp.1.weight", (2 * hidden, stacked))
    yield Tensor("mm.a.norm_mid.weight", (hidden,), 1.0)
    yield Tensor("mm.a.mlp.2.weight", (model_width, hidden))


def _layer(sense: str, layer: int, attention: tuple[str, ...]) -> Iterator[Tensor]:
    block = f"{sense}.blk.{layer}"
    yield from _norm(f"{block}.ln1")
    yield from _norm(f"{block}.ln2")
    for name in attention:
        yield from _linear(f"{block}.{name}", _WIDTH, _WIDTH)
    yield from _linear(f"{block}.ffn_up", _FEED_FORWARD, _WIDTH)
    yield from _linear(f"{block}.ffn_down", _WIDTH, _FEED_FORWARD)


def _linear(name: str, outputs: int, inputs: int) -> Iterator[Tensor]:
    yield Tensor(f"{name}.weight", (outputs, inputs))
    yield Tensor(f"{name}.bias", (outputs,), 0.0)


def _norm(name: str) -> Iterator[Tensor]:
    yield Tensor(f"{name}.weight", (_WIDTH,), 1.0)
    yield Tensor(f"{name}.bias", (_WIDTH,), 0.0)
