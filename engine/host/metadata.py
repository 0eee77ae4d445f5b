"""What a GGUF file says about its model, without loading it: shape, quantization, template and what it can do.

Owns the meaning of the header's keys (ggml/docs/gguf.md and llama.cpp's llama-arch). Must not know where models are
found, nor load anything.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from engine.chat.answers.reasoning import reasoning_format
from engine.errors import CatalogError
from engine.families import Recognition, Sampling, recognise
from engine.host.family_facts import facts, sampling
from engine.host.ggml_types import FILE_TYPES, TENSOR_TYPES
from engine.host.gguf_header import Header, Tensor, parameter_count, read_header, strings_among

Capability = Literal["completion", "embedding", "tools", "insert", "thinking", "vision", "audio"]
Pooling = Literal["none", "mean", "cls", "last", "rank"]

_POOLINGS: tuple[Pooling, ...] = ("none", "mean", "cls", "last", "rank")
_EMBEDDING_ARCHITECTURES = frozenset(
    {
        "bert",
        "eurobert",
        "gemma-embedding",
        "jina-bert-v2",
        "jina-bert-v3",
        "llama-embed",
        "modern-bert",
        "neo-bert",
        "nomic-bert",
        "nomic-bert-moe",
        "t5encoder",
    }
)
_FILL_IN_KEYS = ("tokenizer.ggml.fim_pre_token_id", "tokenizer.ggml.prefix_token_id")
# What llama.cpp takes for the fill-in-the-middle prefix token where no key names one.
_FILL_IN_TOKENS = (
    "<|fim_prefix|>",
    "<fim-prefix>",
    "<fim_prefix>",
    "<|code_prefix|>",
    "<\uff5cfim\u2581begin\uff5c>",
    "<PRE>",
    "\u2581<PRE>",
    "<|prefix|>",
)
_TOKENS_KEY = "tokenizer.ggml.tokens"
_TEMPLATE_KEY = "tokenizer.chat_template"
_USED_TEMPLATES = ("tool_use", "rag")
# In Jinja's words, or in those of Ollama's Go templates.
_TOOLS_IN_TEMPLATE = re.compile(r"\btools\b|\.Tools\b")
_THINKING_IN_TEMPLATE = re.compile(
    r"</?think>|\benable_thinking\b|\breasoning_content\b|\breasoning_effort\b|\.(?:Think|ThinkLevel|IsThinkSet)\b"
)


class TensorShape(NamedTuple):
    """One tensor as a person reads it: name, type ("Q8_0") and shape, fastest dimension first."""

    name: str
    type: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """What a model's file says. Lengths are None where the file does not say.

    `values` holds every key; an array of more than 64 elements is None in it, `array_lengths` has its length and
    `full_values()` its elements. `pooling` is how the file wants token vectors made one. `capabilities` are those that
    can be told without loading.
    `chat_template` is the file's own, or the one set in its place; `sampling` how the file, or else its family, wants to be sampled.
    """

    architecture: str
    parameter_count: int
    quantization: str
    context_length: int | None
    embedding_length: int | None
    chat_template: str | None
    recognition: Recognition
    sampling: Sampling
    pooling: Pooling | None
    capabilities: tuple[Capability, ...]
    license: str | None
    values: dict[str, Any]
    array_lengths: dict[str, int]
    paths: tuple[Path, ...]
    shapes: tuple[TensorShape, ...]

    @property
    def conversation_template(self) -> str | None:
        """What conversations are written with: the file's own template, else its family's; None for a model that does not continue text."""
        if self.chat_template is not None or "completion" not in self.capabilities:
            return self.chat_template
        return self.recognition.family.template

    def tensors(self) -> list[TensorShape]:
        """Every tensor of the model, in file order."""
        return list(self.shapes)

    def full_values(self) -> dict[str, Any]:
        """Every key with whole arrays, read from the file again. Raises CatalogError if it has gone or changed."""
        return read_header(self.paths[0], whole_arrays=True).values


def read_metadata(paths: tuple[Path, ...], *, chat_template: str | None = None) -> ModelMetadata:
    """The metadata of the model in `paths`, the parts of one split model in order. `chat_template` replaces those of the file.
    Raises CatalogError."""
    header = read_header(paths[0])
    tensors = [*header.tensors, *(tensor for path in paths[1:] for tensor in read_header(path).tensors)]
    values = header.values
    architecture = _architecture(paths[0], values)
    template = chat_template or _text(values, _TEMPLATE_KEY)
    named = [] if chat_template else [_text(values, f"{_TEMPLATE_KEY}.{name}") or "" for name in _USED_TEMPLATES]
    pooling = _pooling(values, architecture)
    recognition = recognise(facts(paths[0], header))
    known_template = template or (recognition.family.template if recognition.is_known else None)
    all_templates = "\n".join(filter(None, (known_template, *named)))
    return ModelMetadata(
        architecture=architecture,
        parameter_count=sum(map(parameter_count, tensors)),
        quantization=_quantization(values, tensors),
        context_length=_length(values, f"{architecture}.context_length"),
        embedding_length=_length(values, f"{architecture}.embedding_length"),
        chat_template=template,
        recognition=recognition,
        sampling=sampling(values, recognition.family.sampling),
        pooling=pooling,
        capabilities=tuple(_capabilities(architecture, pooling, all_templates, _fills_in(paths[0], header))),
        license=_text(values, "general.license"),
        values=values,
        array_lengths=header.lengths,
        paths=paths,
        shapes=tuple(TensorShape(name, _type_name(code), shape) for name, code, shape in tensors),
    )


def _architecture(path: Path, values: dict[str, Any]) -> str:
    architecture = _text(values, "general.architecture")
    if not architecture:
        raise CatalogError(f"{path}: not a model: it has no general.architecture")
    kind = _text(values, "general.type") or "model"
    if kind != "model" or architecture == "clip":
        raise CatalogError(f"{path}: not a model: general.type is {kind!r}, general.architecture {architecture!r}")
    return architecture


def _capabilities(architecture: str, pooling: Pooling | None, templates: str, fills_in: bool) -> Iterable[Capability]:
    if pooling == "rank":
        return
    if architecture in _EMBEDDING_ARCHITECTURES or pooling not in (None, "none"):
        yield "embedding"
        return
    yield from ("completion", "embedding")
    if _TOOLS_IN_TEMPLATE.search(templates):
        yield "tools"
    if fills_in:
        yield "insert"
    if _THINKING_IN_TEMPLATE.search(templates) or reasoning_format(templates):
        yield "thinking"


def _fills_in(path: Path, header: Header) -> bool:
    if any(key in header.values for key in _FILL_IN_KEYS):
        return True
    span = header.spans.get(_TOKENS_KEY)
    return span is not None and bool(strings_among(path, span, _FILL_IN_TOKENS))


def _pooling(values: dict[str, Any], architecture: str) -> Pooling | None:
    code = values.get(f"{architecture}.pooling_type")
    return _POOLINGS[code] if isinstance(code, int) and 0 <= code < len(_POOLINGS) else None


def _quantization(values: dict[str, Any], tensors: list[Tensor]) -> str:
    """The file's own label, else the type that most of its parameters have."""
    code = values.get("general.file_type")
    if isinstance(code, int) and code in FILE_TYPES:
        return FILE_TYPES[code]
    weights: Counter[int] = Counter()
    for tensor in tensors:
        weights[tensor.type_code] += parameter_count(tensor)
    return _type_name(weights.most_common(1)[0][0]) if weights else "unknown"


def _type_name(code: int) -> str:
    return TENSOR_TYPES.get(code, f"type {code}")


def _text(values: dict[str, Any], key: str) -> str | None:
    value = values.get(key)
    return value if isinstance(value, str) else None


def _length(values: dict[str, Any], key: str) -> int | None:
    value = values.get(key)
    return value if isinstance(value, int) and value > 0 else None
