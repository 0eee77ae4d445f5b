"""The record of a family, and all records there are. Must not know how a family is recognised."""

import math
from importlib.resources import files
from typing import Any

import msgspec

_POSITIVE = ("repeat_penalty",)
_SHARES = ("top_p", "min_p")


class Sampling(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """How a model is best sampled, by the names of Ollama's options; None: nothing is known. Raises ValueError out of range."""

    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    repeat_last_n: int | None = None

    def __post_init__(self) -> None:
        for name, value in self.as_options().items():
            highest = 1.0 if name in _SHARES else 1000.0
            lowest = -1 if name == "repeat_last_n" else 0
            if not math.isfinite(value) or not lowest <= value <= highest or (name in _POSITIVE and value == 0):
                raise ValueError(f"{name} is {value}; expected a number from {lowest} to {highest:g}")

    def as_options(self) -> dict[str, Any]:
        """What is known, by name."""
        options: dict[str, Any] = msgspec.to_builtins(self)
        return options


class Family(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of a family.

    `template`: in Jinja, as a model's own would be; the token before a text's beginning is the tokenizer's to put. `end_tokens` end a
    turn, whatever a file says of them. `context_tokens`: what its models are trained for where a file does not say. `quantization`: the
    one that is recommended, by the name that GGUF files have in theirs.
    """

    name: str
    title: str
    template: str
    end_tokens: tuple[str, ...] = ()
    context_tokens: int
    quantization: str
    sampling: Sampling = Sampling()


def _read() -> dict[str, Family]:
    records = sorted(files("engine.families").joinpath("records").iterdir(), key=lambda path: path.name)
    families = [msgspec.toml.decode(path.read_bytes(), type=Family) for path in records if path.name.endswith(".toml")]
    return {family.name: family for family in families}


FAMILIES = _read()
LAST_RESORT = FAMILIES["chatml"]
"""What most models without a template of their own were trained with."""
