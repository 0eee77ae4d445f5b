"""Owns the way from a Placement to llama.cpp's model parameters: devices, proportions, how the file is read, memory nodes.

What this build or machine cannot do is refused here, since llama.cpp would pass over it. Must not know contexts or requests.
"""

import ctypes
import functools
from typing import Any

import llama_cpp
from llama_cpp import _ggml

from engine.config import Numa, Placement, SplitMode
from engine.llama import library
from engine.llama.library import LlamaError

_ALL_LAYERS = (1 << 31) - 1
_SPLIT_MODES: dict[SplitMode, int] = {
    "none": llama_cpp.LLAMA_SPLIT_MODE_NONE,
    "layer": llama_cpp.LLAMA_SPLIT_MODE_LAYER,
    "row": llama_cpp.LLAMA_SPLIT_MODE_ROW,
    "tensor": llama_cpp.LLAMA_SPLIT_MODE_TENSOR,
}
# llama.h's llama_load_mode by (mmap, mlock): the bindings do not name them.
_LOAD_MODES = {
    ("auto", False): -1,
    ("off", False): 0,
    ("on", False): 1,
    ("off", True): 2,
    ("on", True): 3,
    ("auto", True): 3,
}
# ggml-cpu.h's ggml_numa_strategy.
_NUMA: dict[Numa, int] = {"off": 0, "distribute": 1, "isolate": 2, "numactl": 3, "mirror": 4}


def to_c(placement: Placement) -> Any:
    """llama.cpp's parameters. LlamaError names what this machine or build lacks."""
    _use_rpc_servers(placement.rpc_servers)
    _use_numa(placement.numa)
    _refuse_without_gpu(placement)
    c = llama_cpp.llama_model_default_params()
    c.n_gpu_layers = _gpu_layers(placement)
    c.load_mode = _LOAD_MODES[placement.mmap, placement.mlock]
    if placement.split_mode is not None:
        c.split_mode = _SPLIT_MODES[placement.split_mode]
    if placement.main_gpu is not None:
        c.main_gpu = placement.main_gpu
    if placement.tensor_split:
        c.tensor_split = _proportions(placement.tensor_split)
    return c


def _gpu_layers(placement: Placement) -> int:
    if placement.n_gpu_layers == "auto":
        return _ALL_LAYERS if library.supports_gpu() else 0
    return _ALL_LAYERS if placement.n_gpu_layers == "all" else placement.n_gpu_layers


def _refuse_without_gpu(placement: Placement) -> None:
    """Whoever asks for a GPU is not served without one quietly."""
    if library.supports_gpu():
        return
    wishes = {
        "n_gpu_layers": placement.n_gpu_layers not in ("auto", 0),
        "split_mode": placement.split_mode is not None,
        "tensor_split": bool(placement.tensor_split),
        "main_gpu": placement.main_gpu is not None,
    }
    wish = next((name for name, is_set in wishes.items() if is_set), None)
    if wish is not None:
        value = getattr(placement, wish)
        raise LlamaError(f"{wish} is {value}, but this llama.cpp was built without a GPU backend, or finds no GPU")


def _proportions(wanted: tuple[float, ...]) -> Any:
    """A value for each possible device, as llama.cpp reads them; it copies nothing, but its structure keeps them alive."""
    room: int = llama_cpp.LLAMA_MAX_DEVICES
    if len(wanted) > room:
        raise LlamaError(f"tensor_split has {len(wanted)} proportions; llama.cpp takes at most {room} devices")
    return (ctypes.c_float * room)(*wanted)


@functools.cache
def _use_numa(strategy: Numa) -> None:
    """Once for the process: ggml keeps the first strategy."""
    if strategy != "off":
        llama_cpp.llama_numa_init(_NUMA[strategy])


def _use_rpc_servers(servers: tuple[str, ...]) -> None:
    """Register the devices of each server (HOST:PORT)."""
    if not servers:
        return
    add_server = _rpc_add_server()
    if add_server is None:
        raise LlamaError("rpc_server is set, but this llama.cpp was built without the RPC backend (GGML_RPC)")
    for server in servers:
        registry = add_server(server.encode())
        if not registry:
            raise LlamaError(f"the RPC server {server} cannot be reached")
        ggml = _ggml.libggml
        ggml.ggml_backend_register.argtypes = [ctypes.c_void_p]
        ggml.ggml_backend_register(registry)


def _rpc_add_server() -> Any:
    """ggml's function that makes a device registry of an RPC server; None where it was built without."""
    ggml = _ggml.libggml
    ggml.ggml_backend_reg_by_name.restype = ctypes.c_void_p
    ggml.ggml_backend_reg_by_name.argtypes = [ctypes.c_char_p]
    ggml.ggml_backend_reg_get_proc_address.restype = ctypes.c_void_p
    ggml.ggml_backend_reg_get_proc_address.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    registry = ggml.ggml_backend_reg_by_name(b"RPC")
    found = registry and ggml.ggml_backend_reg_get_proc_address(registry, b"ggml_backend_rpc_add_server")
    return ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p)(found) if found else None
