"""What a GGUF header says that tells a model's family, and how the model is best sampled. Must not know the families."""

from pathlib import Path
from typing import Any

from engine.families import MARKS, Facts, Sampling
from engine.host.gguf_header import Header, strings_among

_TOKENS_KEY = "tokenizer.ggml.tokens"
_NAME_KEYS = ("general.name", "general.basename")
_SAMPLING_KEYS = {
    "temperature": "general.sampling.temp",
    "top_k": "general.sampling.top_k",
    "top_p": "general.sampling.top_p",
    "min_p": "general.sampling.min_p",
    "repeat_penalty": "general.sampling.penalty_repeat",
    "repeat_last_n": "general.sampling.penalty_last_n",
}
_INTEGERS = frozenset({"top_k", "repeat_last_n"})


def facts(path: Path, header: Header) -> Facts:
    """What the header of the file at `path` tells. Raises CatalogError if the file has gone."""
    values = header.values
    span = header.spans.get(_TOKENS_KEY)
    return Facts(
        architecture=_text(values, "general.architecture"),
        tokenizer=_text(values, "tokenizer.ggml.model"),
        pre_tokenizer=_text(values, "tokenizer.ggml.pre"),
        names=tuple(filter(None, (_text(values, key) for key in _NAME_KEYS))),
        file_name=path.name,
        tokens=strings_among(path, span, MARKS) if span else frozenset(),
    )


def sampling(values: dict[str, Any], family: Sampling) -> Sampling:
    """As the family's models are sampled, but for what the file itself says. Values that cannot be meant count as not said."""
    said: dict[str, Any] = family.as_options()
    for name, key in _SAMPLING_KEYS.items():
        value = values.get(key)
        if _is_number(value, whole=name in _INTEGERS) and _is_legal(name, value):
            said[name] = value
    return Sampling(**said)


def _is_number(value: Any, *, whole: bool) -> bool:
    return isinstance(value, int if whole else int | float) and not isinstance(value, bool)


def _is_legal(name: str, value: Any) -> bool:
    try:
        Sampling(**{name: value})
    except ValueError:
        return False
    return True


def _text(values: dict[str, Any], key: str) -> str:
    value = values.get(key)
    return value if isinstance(value, str) else ""
