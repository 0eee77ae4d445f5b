"""How the engine is set up: which model files, and how each is loaded. Plain values; read from settings by the server."""

from pathlib import Path
from typing import Literal

import msgspec


class LoadParams(msgspec.Struct, frozen=True, kw_only=True):
    """How a worker loads a model.

    `n_gpu_layers`: number of layers put on the GPU, or "auto" (all where llama.cpp was built with a GPU backend, else none).
    `ctx_size_tokens`: KV cells shared by all sequences, and the most that one request may use; 0: what the model was trained
    for, at most 8192. `parallel`: sequences computed at once. `threads`: 0 takes the number of physical cores.
    `batch_tokens`: the most tokens of one step, at least `parallel`.
    """

    n_gpu_layers: int | Literal["auto"] = "auto"
    ctx_size_tokens: int = 0
    parallel: int = 8
    threads: int = 0
    batch_tokens: int = 512


class EngineConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine serves, and with how much.

    `models`: files and directories to serve, as (name or None, path); a directory serves every GGUF file below it and
    takes no name. `preload`: names of models that are loaded at start and stay; None: every model given as a file.
    `keep_alive_seconds`: how long a model loaded on demand stays after its last request (negative: for ever; 0: not at
    all). `max_loaded_models`: workers alive at once; None: three, or as many as are preloaded. `max_queue`: requests
    that may wait, for a model to load and in each model for a free place. `load_timeout_seconds`: a model that has not
    loaded by then never will. `shutdown_grace_seconds`: how long a worker may take to end before it is killed.
    `cache_dir`: where to keep what is dear to compute; None: nowhere.
    """

    models: tuple[tuple[str | None, Path], ...]
    load: LoadParams = LoadParams()
    preload: tuple[str, ...] | None = None
    keep_alive_seconds: float = 300.0
    max_loaded_models: int | None = None
    max_queue: int = 512
    load_timeout_seconds: float = 900.0
    shutdown_grace_seconds: float = 3.0
    cache_dir: Path | None = None
    log_level: str = "info"
