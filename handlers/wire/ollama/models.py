"""The catalogue and what is loaded of it, as Ollama lists and describes models. Must not know how a model is loaded."""

from collections.abc import Iterable, Mapping
from typing import Any

from engine import JsonObject, LoadedEntry, ModelEntry, ModelMetadata, Recognition
from handlers.wire.ollama.names import tagged
from handlers.wire.ollama.timestamps import FOR_EVER, rfc3339
from handlers.wire.types.ollama import ShowRequest

_PARAMETER_WIDTH = 30
_THOUSANDS = ("", "K", "M", "B", "T")


def render_list(models: Iterable[tuple[ModelEntry, str]]) -> JsonObject:
    """All models, each with the SHA-256 of its file."""
    return {"models": [_summary(entry, digest) for entry, digest in models]}


def render_loaded(models: Iterable[tuple[LoadedEntry, str]]) -> JsonObject:
    """The models in memory, each with the SHA-256 of its file."""
    return {"models": [_loaded(loaded, digest) for loaded, digest in models]}


def shown_model(body: ShowRequest) -> str:
    """The model that a validated body names, be it by the field's older name."""
    return body["model"] if "model" in body else body["name"]


def render_show(entry: ModelEntry, full_values: Mapping[str, Any] | None) -> JsonObject:
    """What a model's file says. `full_values`: every key with whole arrays, for a verbose answer, which lists tensors too."""
    metadata = entry.metadata
    values = metadata.values if full_values is None else full_values
    answer: JsonObject = {
        "modelfile": _modelfile(entry),
        "parameters": "\n".join(f"{name:<{_PARAMETER_WIDTH}} {value:g}" for name, value in _parameters(entry).items()),
        "template": metadata.conversation_template or "",
        "details": _details(entry),
        "model_info": {**values, "general.parameter_count": metadata.parameter_count},
        "capabilities": list(metadata.capabilities),
        "modified_at": rfc3339(entry.modified_at),
    }
    if "completion" in metadata.capabilities:
        answer["recognition"] = _recognition(metadata.recognition)
    if metadata.license is not None:
        answer["license"] = metadata.license
    if full_values is not None:
        answer["tensors"] = [
            {"name": tensor.name, "type": tensor.type, "shape": list(tensor.shape)} for tensor in metadata.tensors()
        ]
    return answer


def _summary(entry: ModelEntry, digest: str) -> JsonObject:
    return {
        **_identity(entry, digest),
        "size": entry.size_bytes,
        "modified_at": rfc3339(entry.modified_at),
        "capabilities": list(entry.metadata.capabilities),
    }


def _loaded(loaded: LoadedEntry, digest: str) -> JsonObject:
    return {
        **_identity(loaded.entry, digest),
        "size": loaded.model.size_bytes,
        "size_vram": loaded.model.gpu_bytes,
        "expires_at": FOR_EVER if loaded.expires_at is None else rfc3339(loaded.expires_at),
        "context_length": loaded.model.ctx_size_tokens,
    }


def _identity(entry: ModelEntry, digest: str) -> JsonObject:
    name = tagged(entry.name)
    return {"name": name, "model": name, "digest": digest, "details": _details(entry)}


def _details(entry: ModelEntry) -> JsonObject:
    metadata = entry.metadata
    lengths = {"context_length": metadata.context_length, "embedding_length": metadata.embedding_length}
    return {
        "parent_model": "",
        "format": "gguf",
        "family": metadata.architecture,
        "families": _families(metadata),
        "parameter_size": _parameter_size(metadata.parameter_count),
        "quantization_level": metadata.quantization,
        **{key: value for key, value in lengths.items() if value is not None},
    }


def _families(metadata: ModelMetadata) -> list[str]:
    """The architecture, and the family that the model is taken for where it is known and has a name of its own."""
    recognition = metadata.recognition
    known = [recognition.family.name] if recognition.is_known else []
    return list(dict.fromkeys([metadata.architecture, *known]))


def _recognition(recognition: Recognition) -> JsonObject:
    family = recognition.family
    return {
        "family": family.name,
        "title": family.title,
        "reason": recognition.reason,
        "template": family.template,
        "end_tokens": list(family.end_tokens),
        "context_length": family.context_tokens,
        "recommended_quantization": family.quantization,
        "sampling": family.sampling.as_options(),
    }


def _parameters(entry: ModelEntry) -> Mapping[str, float]:
    return entry.metadata.sampling.as_options()


def _parameter_size(count: int) -> str:
    """A count of parameters as people write it: 5.2M, 7.6B."""
    scaled, unit = float(count), 0
    while scaled >= 999.95 and unit + 1 < len(_THOUSANDS):
        scaled, unit = scaled / 1000, unit + 1
    return f"{scaled:.1f}{_THOUSANDS[unit]}" if unit else str(count)


def _modelfile(entry: ModelEntry) -> str:
    """The model in Modelfile notation, named and not located: where files lie on this machine is nobody's business."""
    template = entry.metadata.conversation_template
    lines = [f"FROM {tagged(entry.name)}", *([f'TEMPLATE """{template}"""'] if template else [])]
    lines += [f"PARAMETER {name} {value:g}" for name, value in _parameters(entry).items()]
    return "\n".join(lines) + "\n"
