"""Owns the writing of a model's file in another quantization (llama_model_quantize). Must not know which one is to be had for what."""

import ctypes
from pathlib import Path
from typing import Any

import llama_cpp

from engine.llama import library
from engine.llama.library import LlamaError


def quantize(source: Path, target: Path, *, file_type: int, requantizes: bool) -> None:
    """Write the model of `source`, whole or split, to `target` as `file_type`, a number of llama_ftype. `requantizes`: tensors that
    are quantized already may be quantized again. LlamaError says why it can't be; what is in `target` then is no model."""
    library.start()
    library.forget_errors()
    params: Any = llama_cpp.llama_model_quantize_default_params()
    params.ftype = file_type
    params.allow_requantize = requantizes
    if llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(params)):
        raise LlamaError(f"llama.cpp can't quantize {source.name}: {library.last_errors() or 'it gave no reason'}")
