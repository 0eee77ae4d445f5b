"""Text generation and embedding with GGUF models. This façade is all that the HTTP side may import."""

from pathlib import Path

from engine.config import EngineConfig, LoadParams
from engine.engine import Engine, LoadedEntry
from engine.errors import ERROR_CODES, CatalogError, EngineError, ErrorCode
from engine.events import (
    Alternative,
    ApplyTemplateResult,
    ChoiceFinished,
    DetokenizeResult,
    EmbeddingResult,
    Finished,
    FinishReason,
    TextDelta,
    Timings,
    TokenizeResult,
    TokenLogprob,
    ToolCallDelta,
    Usage,
)
from engine.generation import GeneratedChoice, Generation, GenerationEvent, GenerationResult, ToolCall
from engine.host.catalog import ModelEntry
from engine.host.metadata import Capability, ModelMetadata, Pooling, TensorShape
from engine.protocol import LoadedModel
from engine.request import (
    ApplyTemplateRequest,
    ChatPrompt,
    Constraint,
    DetokenizeRequest,
    EmbeddingRequest,
    GenerationRequest,
    InfillPrompt,
    JsonConstraint,
    JsonObject,
    Mirostat,
    Prompt,
    SamplingParams,
    TextPrompt,
    TokenizeRequest,
    TokenPrompt,
)

BUNDLED_MODEL: Path = Path(__file__).parent / "bundled" / "trueline-demo.gguf"
"""The demonstration model that ships with the package."""

__all__ = [
    "BUNDLED_MODEL",
    "ERROR_CODES",
    "Alternative",
    "ApplyTemplateRequest",
    "ApplyTemplateResult",
    "Capability",
    "CatalogError",
    "ChatPrompt",
    "ChoiceFinished",
    "Constraint",
    "DetokenizeRequest",
    "DetokenizeResult",
    "EmbeddingRequest",
    "EmbeddingResult",
    "Engine",
    "EngineConfig",
    "EngineError",
    "ErrorCode",
    "FinishReason",
    "Finished",
    "GeneratedChoice",
    "Generation",
    "GenerationEvent",
    "GenerationRequest",
    "GenerationResult",
    "InfillPrompt",
    "JsonConstraint",
    "JsonObject",
    "LoadParams",
    "LoadedEntry",
    "LoadedModel",
    "Mirostat",
    "ModelEntry",
    "ModelMetadata",
    "Pooling",
    "Prompt",
    "SamplingParams",
    "TensorShape",
    "TextDelta",
    "TextPrompt",
    "Timings",
    "TokenLogprob",
    "TokenPrompt",
    "TokenizeRequest",
    "TokenizeResult",
    "ToolCall",
    "ToolCallDelta",
    "Usage",
]
