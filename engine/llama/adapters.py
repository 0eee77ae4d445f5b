"""Owns what is loaded beside a model to change it: LoRA adapters, and the directions of control vectors.

Must not know requests, nor which adapters a context applies when.
"""

import ctypes
from pathlib import Path
from typing import Any

import llama_cpp
import msgspec
import numpy as np
from llama_cpp import _ggml
from numpy.typing import NDArray

from engine.config import Steering
from engine.llama import library
from engine.llama.library import LlamaError
from engine.llama.model import Model
from engine.llama.resource import Resource

_FLOAT32 = 0  # ggml_type


class LoraAdapter(Resource):
    """A loaded LoRA adapter. It must be closed before its model."""

    def __init__(self, model: Model, path: Path) -> None:
        """Load it. LlamaError says why it can't be, or why it does not go with the model."""
        library.forget_errors()
        handle = llama_cpp.llama_adapter_lora_init(model.handle, str(path).encode())
        if not handle:
            reason = library.last_errors() or "llama.cpp gave no reason"
            raise LlamaError(f"the LoRA adapter {path.name} can't be loaded: {reason}")
        super().__init__(handle, llama_cpp.llama_adapter_lora_free)
        if llama_cpp.llama_adapter_get_alora_n_invocation_tokens(handle):
            self.close()
            raise LlamaError(
                f"the LoRA adapter {path.name} is one that some tokens activate (aLoRA), which is not supported"
            )


class AppliedAdapters(msgspec.Struct, frozen=True, eq=False):
    """Adapters with their scales, as one step applies them. `key`: equal keys, equal computing; empty where there are none."""

    adapters: tuple[tuple[LoraAdapter, float], ...] = ()
    key: str = ""


NO_ADAPTERS = AppliedAdapters()


def apply_adapters(context: Any, applied: AppliedAdapters) -> None:
    """Have a llama_context compute with these, and no others, from now on."""
    count = len(applied.adapters)
    handles = (llama_cpp.llama_adapter_lora_p_ctypes * count)(*(adapter.handle for adapter, _ in applied.adapters))
    scales = (ctypes.c_float * count)(*(scale for _, scale in applied.adapters))
    llama_cpp.llama_set_adapters_lora(context, handles, count, scales)


class ControlVector(msgspec.Struct, frozen=True):
    """What is added to the hidden state behind each layer: a row for each layer from the second on; `layers`: the first and last that
    get theirs."""

    directions: NDArray[np.float32]
    layers: tuple[int, int]


def read_control_vector(model: Model, steering: Steering) -> ControlVector:
    """The sum of the files' directions, each times its scale. LlamaError names the file that can't be used with the model."""
    first, last = steering.layers or (1, model.n_layers - 1)
    if not 1 <= first <= last < model.n_layers:
        raise LlamaError(f"control_vector_layers is {first}-{last}; this model has layers 1 to {model.n_layers - 1}")
    total = np.zeros((model.n_layers - 1, model.width), dtype=np.float32)
    for path, scale in steering.vectors:
        for layer, direction in _directions(Path(path)).items():
            if not 1 <= layer < model.n_layers or len(direction) != model.width:
                raise LlamaError(
                    f"the control vector {Path(path).name} has a direction of width {len(direction)} for layer {layer}; "
                    f"this model has layers 1 to {model.n_layers - 1} of width {model.width}"
                )
            total[layer - 1] += scale * direction
    return ControlVector(total, (first, last))


def apply_control_vector(context: Any, vector: ControlVector) -> None:
    """Have a llama_context add it from now on."""
    data = vector.directions.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    size, width = vector.directions.size, vector.directions.shape[1]
    if llama_cpp.llama_set_adapter_cvec(context, data, size, width, *vector.layers):
        raise LlamaError("llama.cpp can't apply the control vector")


def _directions(path: Path) -> dict[int, NDArray[np.float32]]:
    """By layer. A GGUF file whose tensors are all named `direction.LAYER`."""
    file = _GgufFile(path)
    with file:
        found = {}
        for name, tensor in file.tensors().items():
            kind, _, layer = name.partition(".")
            if kind != "direction" or not layer.isdecimal() or tensor is None:
                raise LlamaError(f"{path.name} is no control vector: it has a tensor {name!r}")
            if not np.isfinite(tensor).all():
                raise LlamaError(f"the control vector {path.name} has numbers in {name!r} that are not finite")
            found[int(layer)] = tensor
    if not found:
        raise LlamaError(f"{path.name} is no control vector: it has no tensors")
    return found


class _GgufParams(ctypes.Structure):
    _fields_ = (("no_alloc", ctypes.c_bool), ("context", ctypes.c_void_p))


def _function(name: str, result: Any, *arguments: Any) -> Any:
    """A function of ggml's that the bindings do not declare."""
    function = getattr(_ggml.libggml, name)
    function.restype, function.argtypes = result, list(arguments)
    return function


_file, _number = ctypes.c_void_p, ctypes.c_int64
_open = _function("gguf_init_from_file", _file, ctypes.c_char_p, _GgufParams)
_close = _function("gguf_free", None, _file)
_count = _function("gguf_get_n_tensors", _number, _file)
_name = _function("gguf_get_tensor_name", ctypes.c_char_p, _file, _number)
_type = _function("gguf_get_tensor_type", ctypes.c_int, _file, _number)
_size = _function("gguf_get_tensor_size", ctypes.c_size_t, _file, _number)
_offset = _function("gguf_get_tensor_offset", ctypes.c_size_t, _file, _number)
_data_offset = _function("gguf_get_data_offset", ctypes.c_size_t, _file)


class _GgufFile(Resource):
    """A GGUF file, read as llama.cpp reads its models."""

    def __init__(self, path: Path) -> None:
        library.start()
        library.forget_errors()
        handle = _open(str(path).encode(), _GgufParams(True, None))
        if not handle:
            raise LlamaError(f"{path.name} can't be read: {library.last_errors() or 'it is no GGUF file'}")
        super().__init__(handle, _close)
        self._path = path

    def tensors(self) -> dict[str, NDArray[np.float32] | None]:
        """Each tensor's numbers in one row; None where they are not of single precision."""
        return {
            _name(self.handle, index).decode("utf-8", "replace"): self._numbers(index)
            for index in range(_count(self.handle))
        }

    def _numbers(self, index: int) -> NDArray[np.float32] | None:
        if _type(self.handle, index) != _FLOAT32:
            return None
        start, count = _data_offset(self.handle) + _offset(self.handle, index), _size(self.handle, index) // 4
        numbers = np.fromfile(self._path, dtype="<f4", count=count, offset=start)
        if len(numbers) != count:
            raise LlamaError(f"{self._path.name} is cut short")
        return numbers.astype(np.float32)
