"""How the engine is set up: which model files, and how each is loaded. Plain values; read from settings by the server."""

from pathlib import Path
from typing import Literal

import msgspec


class LoadParams(msgspec.Struct, frozen=True, kw_only=True):
    """How a worker loads a model.

    `n_gpu_layers`: number of layers put on the GPU, or "auto" (all where llama.cpp was built with a GPU backend, else none).
    `ctx_size_tokens`: KV cells shared by all sequences, and the most that one request may use; 0: what the model was trained
    for, at most 8192. `parallel`: sequences computed at once. `threads`: 0 takes the number of physical cores.
    `batch_tokens`: the most tokens of one step.
    """

    n_gpu_layers: int | Literal["auto"] = "auto"
    ctx_size_tokens: int = 0
    parallel: int = 8
    threads: int = 0
    batch_tokens: int = 512


class EngineConfig(msgspec.Struct, frozen=True, kw_only=True):
    """`models`: files and directories to serve, as (name or None, path); a directory serves every GGUF file below it.
    `preload`: names loaded at start. `keep_alive_seconds`: how long a model loaded on demand stays after its last
    request (negative: for ever). `max_loaded_models`: workers alive at once."""

    models: tuple[tuple[str | None, Path], ...]
    load: LoadParams = LoadParams()
    keep_alive_seconds: float = 300.0
    max_loaded_models: int = 3
    max_queue: int = 512
    log_level: str = "info"
