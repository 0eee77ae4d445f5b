"""How a model is loaded: the settings that hold for every model, and that a model's own table may replace.

Owns each one's type, default and meaning, what contradicts what, and the way to the engine's load parameters. Must not know where
values come from.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from engine import (
    QUANTIZED_CACHE_TYPES,
    Attention,
    CacheType,
    Drafting,
    FlashAttention,
    LoadParams,
    LoraFile,
    MemoryMap,
    Numa,
    Placement,
    PromptLookup,
    Rope,
    RopeScaling,
    SplitMode,
    Steering,
)
from handlers.setting_types import (
    File,
    LayerCount,
    LayerRange,
    LoraSetting,
    LoraSettings,
    Proportions,
    Seconds,
    Several,
    VectorSettings,
)

Group = TypeVar("Group", Placement, Attention, Rope)

_ENDPOINT = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}")


class ModelSettings(BaseModel):
    """What can be set for every model, and anew for each."""

    ctx_size: int = Field(0, ge=0, description="Tokens of context; 0: as trained, at most 8192.")
    parallel: int = Field(8, ge=1, le=256, description="Sequences that a model computes at once.")
    batch_size: int = Field(512, ge=1, description="The most tokens of one step; at least parallel.")
    micro_batch_size: int = Field(512, ge=1, description="The most tokens of one pass through the model.")
    target_step_seconds: Seconds = Field(
        0.3, gt=0, description="How long a prompt that comes in may hold up running answers at a time (300ms)."
    )
    prefix_cache_mib: int | None = Field(
        None,
        ge=0,
        description="MiB of memory for computed prompts that left the KV cache; unset: an eighth of what is free, at most 4096.",
    )
    prefix_cache_dir: File | None = Field(None, description="Directory that keeps computed prompts over restarts.")
    prefix_cache_dir_mib: int = Field(
        8192, ge=1, description="MiB that prefix_cache_dir may grow to, all models together."
    )
    threads: int = Field(0, ge=0, description="Processor threads of a model; 0: one for each physical core.")
    threads_batch: int = Field(0, ge=0, description="Processor threads that compute prompts; 0: as many as threads.")
    numa: Numa = Field("off", description="How threads are spread over memory nodes (NUMA).")

    n_gpu_layers: LayerCount = Field(
        "auto", description="Layers put on the GPU, or all; auto: all where there is one, else none."
    )
    split_mode: SplitMode | None = Field(
        None, description="How a model is spread over GPUs: layer (where unset), row, tensor, or none: one GPU."
    )
    main_gpu: int | None = Field(None, ge=0, description="Number of the GPU that has it all under split_mode none.")
    tensor_split: Proportions = Field((), description="What part each GPU gets, such as 3,1; unset: by free memory.")
    rpc_server: Several = Field(
        (), description="HOST:PORT of a llama.cpp RPC server whose devices are used; needs a build with GGML_RPC."
    )
    mmap: MemoryMap = Field(
        "auto", description="Whether weights are mapped from the file: on, off, or auto: where no device minds."
    )
    chat_template: File | None = Field(
        None, description="File of the chat template, Jinja or Go, in place of the one in the model's file."
    )
    mlock: bool = Field(False, description="Keep the weights in memory: nothing of them is swapped out.")

    mmproj: Literal["auto", "none"] | File = Field(
        "auto",
        description="GGUF file by which a model takes pictures or sound, none, or auto: the one that lies beside the model.",
    )
    image_min_tokens: int | None = Field(
        None,
        ge=1,
        description="The least tokens of a picture, for models that take pictures in any size; unset: as trained.",
    )
    image_max_tokens: int | None = Field(
        None,
        ge=1,
        description="The most tokens of a picture, for models that take pictures in any size; unset: as trained.",
    )
    media_cache_mib: int = Field(
        256, ge=0, description="MiB of memory for pictures and sounds as a model reads them, encoded once."
    )

    reasoning_budget: int | None = Field(
        None,
        ge=0,
        description="Tokens after which a model's thinking is ended where a request does not say; unset: as many as it likes.",
    )

    prompt_lookup: PromptLookup = Field(
        "auto",
        description="Guess answers from what the prompt says, many tokens a step: on, off, or auto: where it pays.",
    )
    draft_model: File | None = Field(
        None, description="GGUF file of a small model with the same vocabulary that guesses the answers of this one."
    )
    draft_tokens: int = Field(15, ge=0, le=63, description="The most tokens guessed at once; 0: nothing is guessed.")

    flash_attention: FlashAttention = Field("auto", description="Flash attention: on, off, or auto: where it works.")
    cache_type_k: CacheType = Field("f16", description="What the KV cache keeps keys as.")
    cache_type_v: CacheType = Field("f16", description="What the KV cache keeps values as; quantized: flash attention.")
    rope_scaling: RopeScaling | None = Field(None, description="How positions are stretched; unset: as the file says.")
    rope_freq_base: float | None = Field(None, gt=0, description="RoPE's base frequency; unset: as the file says.")
    rope_freq_scale: float | None = Field(
        None, gt=0, description="RoPE's factor on positions (0.5: twice the context); unset: as the file says."
    )
    yarn_orig_ctx: int | None = Field(None, ge=1, description="YaRN: tokens of context that it was trained for.")
    yarn_ext_factor: float | None = Field(None, ge=0, description="YaRN: 1 extrapolates, 0 interpolates alone.")
    yarn_attn_factor: float | None = Field(None, gt=0, description="YaRN: factor on the attention's magnitude.")
    yarn_beta_fast: float | None = Field(None, ge=0, description="YaRN: rotations above which nothing is stretched.")
    yarn_beta_slow: float | None = Field(None, ge=0, description="YaRN: rotations below which all is stretched.")

    lora: LoraSettings = Field(
        (), description="LoRA adapter: FILE, NAME=FILE or NAME=FILE=SCALE; scale 0: for requests that ask for it."
    )
    control_vector: VectorSettings = Field((), description="Control vector: FILE or FILE=SCALE.")
    control_vector_layers: LayerRange = Field(
        None, description="Layers that control vectors are added to, FIRST-LAST; unset: all."
    )

    @field_validator("chat_template")
    @classmethod
    def _readable(cls, value: Path | None) -> Path | None:
        if value is not None:
            try:
                value.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
                raise ValueError(f"cannot read it: {reason}") from None
        return value

    @field_validator("lora")
    @classmethod
    def _named_apart(cls, value: tuple[LoraSetting, ...]) -> tuple[LoraSetting, ...]:
        names = [adapter.name for adapter in value]
        again = next((name for name in names if names.count(name) > 1), None)
        if again is not None:
            raise ValueError(f"expected a name of its own for each adapter: NAME=FILE; two are named {again!r}")
        return value

    @field_validator("batch_size")
    @classmethod
    def _holds_every_sequence(cls, value: int, others: ValidationInfo) -> int:
        parallel = others.data.get("parallel", value)
        if value < parallel:
            raise ValueError(
                f"expected at least {parallel}, the value of parallel: a step takes a token of each sequence"
            )
        return value

    @field_validator("prefix_cache_dir")
    @classmethod
    def _passes_through_memory(cls, value: Path | None, others: ValidationInfo) -> Path | None:
        if value is not None and others.data.get("prefix_cache_mib") == 0:
            raise ValueError("expected with a prefix_cache_mib above 0 only: what is read from it goes there")
        return value

    @field_validator("main_gpu")
    @classmethod
    def _only_for_one_gpu(cls, value: int | None, others: ValidationInfo) -> int | None:
        if value is not None and others.data.get("split_mode", "none") != "none":
            raise ValueError("expected with split_mode none only: a model on several GPUs has no main one")
        return value

    @field_validator("tensor_split")
    @classmethod
    def _only_for_several_gpus(cls, value: tuple[float, ...], others: ValidationInfo) -> tuple[float, ...]:
        if value and others.data.get("split_mode") == "none":
            raise ValueError("expected without split_mode none: there is one GPU only then")
        return value

    @field_validator("rpc_server")
    @classmethod
    def _endpoints(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong = next((server for server in value if not _ENDPOINT.fullmatch(server)), None)
        if wrong is not None:
            raise ValueError(f"expected HOST:PORT, such as 192.0.2.7:50052, not {wrong!r}")
        return value

    @field_validator("yarn_attn_factor")
    @classmethod
    def _computed_while_extrapolating(cls, value: float | None, others: ValidationInfo) -> float | None:
        if value is not None and others.data.get("yarn_ext_factor", 0) != 0:
            raise ValueError("expected with yarn_ext_factor 0 only: else llama.cpp computes it from rope_freq_scale")
        return value

    @field_validator("image_max_tokens")
    @classmethod
    def _most_is_not_less_than_least(cls, value: int | None, others: ValidationInfo) -> int | None:
        least = others.data.get("image_min_tokens")
        if value is not None and least is not None and value < least:
            raise ValueError(f"expected at least image_min_tokens, which is {least}")
        return value

    @field_validator("cache_type_v")
    @classmethod
    def _quantized_needs_flash(cls, value: CacheType, others: ValidationInfo) -> CacheType:
        if value in QUANTIZED_CACHE_TYPES and others.data.get("flash_attention") == "off":
            raise ValueError("expected f32, f16 or bf16 while flash_attention is off: it alone reads quantized values")
        return value


class ModelTable(ModelSettings):
    """A model's own settings, `[models.NAME]` in the file; each that it does not have is as set for every model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: File | None = Field(None, description="GGUF file; unset: the table is for a model that is found otherwise.")
    preload: bool = Field(True, description="Load the file at start and keep it; else when it is asked for.")


def load_params(settings: ModelSettings) -> LoadParams:
    """The engine's words for these settings."""
    return LoadParams(
        placement=_group(Placement, settings, rpc_servers=settings.rpc_server),
        attention=_group(Attention, settings, flash=settings.flash_attention),
        rope=_group(
            Rope,
            settings,
            scaling=settings.rope_scaling,
            freq_base=settings.rope_freq_base,
            freq_scale=settings.rope_freq_scale,
        ),
        drafting=Drafting(
            prompt_lookup=settings.prompt_lookup,
            tokens=settings.draft_tokens,
            model=None if settings.draft_model is None else str(settings.draft_model.absolute()),
        ),
        lora=tuple(LoraFile(name=each.name, path=str(each.file), scale=each.scale) for each in settings.lora),
        steering=Steering(
            vectors=tuple((str(each.file), each.scale) for each in settings.control_vector),
            layers=settings.control_vector_layers,
        ),
        chat_template=settings.chat_template.read_text(encoding="utf-8") if settings.chat_template else None,
        ctx_size_tokens=settings.ctx_size,
        parallel=settings.parallel,
        threads=settings.threads,
        batch_threads=settings.threads_batch,
        batch_tokens=settings.batch_size,
        micro_batch_tokens=settings.micro_batch_size,
        target_step_seconds=settings.target_step_seconds,
        prefix_cache_bytes=None if settings.prefix_cache_mib is None else settings.prefix_cache_mib << 20,
        prefix_cache_dir=None if settings.prefix_cache_dir is None else str(settings.prefix_cache_dir),
        prefix_cache_dir_bytes=settings.prefix_cache_dir_mib << 20,
        projector=str(settings.mmproj.absolute()) if isinstance(settings.mmproj, Path) else None,
        finds_projector=settings.mmproj == "auto",
        image_min_tokens=settings.image_min_tokens,
        image_max_tokens=settings.image_max_tokens,
        media_cache_bytes=settings.media_cache_mib << 20,
        reasoning_budget_tokens=settings.reasoning_budget,
    )


def _group(kind: type[Group], settings: ModelSettings, **renamed: Any) -> Group:
    """A group of parameters from the settings of the same names, and from others under other names."""
    names = {field.name for field in msgspec.structs.fields(kind)}
    same = {name: getattr(settings, name) for name in names.intersection(type(settings).model_fields)}
    return kind(**same, **renamed)
