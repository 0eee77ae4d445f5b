"""How the engine is set up: which model files, and how each is loaded. Plain values; read from settings by the server."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

SplitMode = Literal["none", "layer", "row", "tensor"]
FlashAttention = Literal["auto", "on", "off"]
CacheType = Literal["f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"]
RopeScaling = Literal["none", "linear", "yarn", "longrope"]
MemoryMap = Literal["auto", "on", "off"]
PromptLookup = Literal["auto", "on", "off"]
Numa = Literal["off", "distribute", "isolate", "numactl", "mirror"]

QUANTIZED_CACHE_TYPES: frozenset[CacheType] = frozenset({"q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"})


class _Params(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every group of parameters."""


class Placement(_Params, frozen=True, kw_only=True):
    """Where a model's weights lie.

    `n_gpu_layers`: number of layers put on the GPU, "all", or "auto" (all where llama.cpp was built with a GPU backend, else
    none). Over several GPUs a model is spread by `split_mode` (None: by layers) in the proportions of `tensor_split` (none:
    by their free memory); "none" takes `main_gpu` alone. `rpc_servers` (HOST:PORT) lend their devices. `mmap`: weights are
    read from the file when first used; "auto": where no device copies them anyway. `mlock` keeps them in memory.
    """

    n_gpu_layers: int | Literal["auto", "all"] = "auto"
    split_mode: SplitMode | None = None
    tensor_split: tuple[float, ...] = ()
    main_gpu: int | None = None
    rpc_servers: tuple[str, ...] = ()
    mmap: MemoryMap = "auto"
    mlock: bool = False
    numa: Numa = "off"


class Attention(_Params, frozen=True, kw_only=True):
    """How attention is computed, and what its cache of keys and values is kept as. Quantized values need flash attention."""

    flash: FlashAttention = "auto"
    cache_type_k: CacheType = "f16"
    cache_type_v: CacheType = "f16"


class Rope(_Params, frozen=True, kw_only=True):
    """How rotary positions are stretched beyond what a model was trained for. None: as its file says.

    `freq_base` in radians, `freq_scale` a factor (0.5 doubles the reach); `yarn_*` are YaRN's (arXiv 2309.00071), `yarn_orig_ctx`
    in tokens.
    """

    scaling: RopeScaling | None = None
    freq_base: float | None = None
    freq_scale: float | None = None
    yarn_orig_ctx: int | None = None
    yarn_ext_factor: float | None = None
    yarn_attn_factor: float | None = None
    yarn_beta_fast: float | None = None
    yarn_beta_slow: float | None = None


class Drafting(_Params, frozen=True, kw_only=True):
    """How answers are guessed ahead, to be verified many tokens at a time; no answer is changed by it.

    `prompt_lookup`: guess that an answer goes on as the same tokens did before, in the prompt or itself; "auto": where that is
    measured to pay, "on": wherever there is a guess. `tokens`: the most that are guessed at once, 0: none, a request's
    prediction neither. `model`: a GGUF file with the same vocabulary that guesses where nothing else does.
    """

    prompt_lookup: PromptLookup = "auto"
    tokens: int = 15
    model: str | None = None


class LoraFile(_Params, frozen=True, kw_only=True):
    """A LoRA adapter that is loaded with a model. `scale`: how strongly a request that does not say otherwise has it; 0: not at all."""

    name: str
    path: str
    scale: float = 1.0


class Steering(_Params, frozen=True, kw_only=True):
    """Control vectors (path, scale): added to the hidden state behind the layers from the first to the last of `layers` (None: all)."""

    vectors: tuple[tuple[str, float], ...] = ()
    layers: tuple[int, int] | None = None


class LoadParams(_Params, frozen=True, kw_only=True):
    """How a worker loads a model.

    `chat_template`: the text of one, Jinja or Go, that replaces all that the model's file has.
    `ctx_size_tokens`: KV cells shared by all sequences, and the most that one request may use; 0: what the model was trained
    for, at most 8192, but at least `least_ctx_tokens` for an answer and `least_input_tokens` for an embedded input, which
    requests have asked for. `parallel`: sequences computed at once. `threads` compute single tokens, `batch_threads` prompts; 0 takes
    the number of physical cores, or what `threads` is. `batch_tokens`: the most tokens of one step, at least `parallel`;
    `micro_batch_tokens`: of one pass through the model. `target_step_seconds`: how long a prompt that comes in may hold up the
    running answers at a time. `prefix_cache_bytes`: host memory for computed prompts that left the KV cache; None: an eighth
    of what is free, at most 4 GiB. `prefix_cache_dir`: where they are kept over restarts too, as far as `prefix_cache_dir_bytes`
    goes for all models together; None: nowhere. `projector`: the `mmproj` file by which it takes pictures or sound; None: the
    one that lies beside the model, where it `finds_projector`. `image_min_tokens` and `image_max_tokens`:
    what a picture takes at least and at most, where the model takes pictures in their own size (None: as the projector's file says).
    `media_cache_bytes`: host memory for what was encoded of them.
    `reasoning_budget_tokens`: for how long it may think where a request does not say; None: as long as it likes.
    """

    placement: Placement = Placement()
    attention: Attention = Attention()
    rope: Rope = Rope()
    drafting: Drafting = Drafting()
    lora: tuple[LoraFile, ...] = ()
    steering: Steering = Steering()
    chat_template: str | None = None
    ctx_size_tokens: int = 0
    least_ctx_tokens: int = 0
    least_input_tokens: int = 0
    parallel: int = 8
    threads: int = 0
    batch_threads: int = 0
    batch_tokens: int = 512
    micro_batch_tokens: int = 512
    target_step_seconds: float = 0.3
    prefix_cache_bytes: int | None = None
    prefix_cache_dir: str | None = None
    prefix_cache_dir_bytes: int = 8 << 30
    projector: str | None = None
    finds_projector: bool = True
    image_min_tokens: int | None = None
    image_max_tokens: int | None = None
    media_cache_bytes: int = 256 << 20
    reasoning_budget_tokens: int | None = None


class Alias(msgspec.Struct, frozen=True, kw_only=True):
    """Another name for `model` (or for `MODEL:ADAPTER`). `lora`: the scales of the adapters that it is computed with; None: as `model`."""

    model: str
    lora: Mapping[str, float] | None = None


class EngineConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine serves, and with how much.

    `models`: files and directories to serve, as (name or None, path); a directory serves every GGUF file below it and
    takes no name. `load`: how each is loaded, but for those whose names `own_loads` has. `preload`: names of models that
    are loaded at start and stay; None: every model given as a file, but for those that `on_demand` names.
    `keep_alive_seconds`: how long a model loaded on demand stays after its last request (negative: for ever; 0: not at
    all). `max_loaded_models`: workers alive at once; None: three, or as many as are preloaded. `max_queue`: requests
    that may wait, for a model to load and in each model for a free place; `max_queue_bytes`: and all of them together, as they are
    sent to workers; `queue_timeout_seconds`: for how long there. `load_timeout_seconds`: a model that has not
    loaded by then never will. `worker_silence_seconds`: a worker with open requests that says nothing for so long hangs, and
    `max_step_seconds`: so does one that computes a single step, or encodes one picture, for so long; it is ended.
    `shutdown_grace_seconds`: how long a worker may take to end before it is killed.
    `cache_dir`: where to keep what is dear to compute; None: nowhere.
    """

    models: tuple[tuple[str | None, Path], ...]
    load: LoadParams = LoadParams()
    own_loads: Mapping[str, LoadParams] = {}
    aliases: Mapping[str, Alias] = {}
    preload: tuple[str, ...] | None = None
    on_demand: tuple[str, ...] = ()
    keep_alive_seconds: float = 300.0
    max_loaded_models: int | None = None
    max_queue: int = 512
    max_queue_bytes: int = 256 << 20
    queue_timeout_seconds: float = 300.0
    load_timeout_seconds: float = 900.0
    worker_silence_seconds: float = 30.0
    max_step_seconds: float = 600.0
    shutdown_grace_seconds: float = 3.0
    cache_dir: Path | None = None
    log_level: str = "info"

    def load_of(self, name: str) -> LoadParams:
        """How the model of this name is loaded."""
        return self.own_loads.get(name, self.load)
