"""The kinds of values that settings have, and how each is read from the text of an option or a variable.

Owns their notation and the complaint about a bad one. Must not know any setting.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import NoDecode

_DURATION = re.compile(r"(-?\d+(?:\.\d+)?)(ms|s|m|h|)")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}


def _several(value: Any) -> Any:
    """Several values written as one text, separated by commas; the command line and TOML give lists."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _seconds(value: Any) -> Any:
    """A number of seconds, or a duration such as 500ms, 30s, 5m or 1h30m."""
    if not isinstance(value, str):
        return value
    pieces = _DURATION.findall(value)
    if not pieces or "".join(number + unit for number, unit in pieces) != value.strip():
        raise ValueError("expected a number of seconds, or a duration such as 30s, 5m or 1h30m")
    total = sum(abs(float(number)) * _UNIT_SECONDS[unit] for number, unit in pieces)
    return -total if value.strip().startswith("-") else total


def _layer_count(value: Any) -> Any:
    if value in ("auto", "all"):
        return value
    try:
        count = int(value)
    except (TypeError, ValueError):
        count = -1
    if count < 0:
        raise ValueError("expected a whole number from 0, auto or all")
    return count


def _proportions(value: Any) -> Any:
    parts = _several(value)
    if not isinstance(parts, list | tuple):
        parts = (parts,)
    try:
        numbers = tuple(float(part) for part in parts)
    except (TypeError, ValueError):
        numbers = (-1.0,)
    if any(not 0 <= number < float("inf") for number in numbers) or (numbers and not any(numbers)):
        raise ValueError("expected proportions of at least 0 separated by commas, such as 3,1")
    return numbers


def _adapters(value: Any) -> Any:
    """FILE, NAME=FILE or NAME=FILE=SCALE; tables with these keys in TOML."""
    parts = _several(value)
    if not isinstance(parts, list | tuple):
        raise ValueError("expected FILE, NAME=FILE or NAME=FILE=SCALE")
    return tuple(_adapter(part) if isinstance(part, str) else part for part in parts)


def _adapter(text: str) -> dict[str, Any]:
    file, scale = _file_and_scale(text)
    name, equals, path = file.partition("=")
    if not equals or Path(file).expanduser().exists():
        name, path = Path(file).stem, file
    return {"name": name, "file": path} | ({} if scale is None else {"scale": scale})


def _vectors(value: Any) -> Any:
    parts = _several(value)
    if not isinstance(parts, list | tuple):
        raise ValueError("expected FILE or FILE=SCALE")
    return tuple(_vector(part) if isinstance(part, str) else part for part in parts)


def _vector(text: str) -> dict[str, Any]:
    file, scale = _file_and_scale(text)
    return {"file": file} | ({} if scale is None else {"scale": scale})


def _file_and_scale(text: str) -> tuple[str, float | None]:
    """A path that exists is one, whatever signs are in it."""
    file, equals, scale = text.rpartition("=")
    if equals and not Path(text).expanduser().exists():
        try:
            return file, float(scale)
        except ValueError:
            pass
    return text, None


def _aliases(value: Any) -> Any:
    parts = _several(value)
    if not isinstance(parts, list | tuple):
        raise ValueError("expected NAME=MODEL")
    return tuple(_alias(part) if isinstance(part, str) else part for part in parts)


def _alias(text: str) -> dict[str, str]:
    name, equals, model = text.partition("=")
    if not (name and equals and model):
        raise ValueError(f"expected NAME=MODEL or NAME=MODEL:ADAPTER, not {text!r}")
    return {"name": name, "model": model}


def _layer_range(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    first, dash, last = value.partition("-")
    if not (dash and first.isdecimal() and last.isdecimal()):
        raise ValueError("expected FIRST-LAST, such as 10-20")
    return (int(first), int(last))


def _expanded(path: Path) -> Path:
    return path.expanduser()


Several = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_several)]
Seconds = Annotated[float, BeforeValidator(_seconds)]
File = Annotated[Path, AfterValidator(_expanded)]


Scale = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]


class LoraSetting(BaseModel):
    """A LoRA adapter: its name, its file, and how strongly a request that does not say has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, pattern=r"^[^\s:=]+$")
    file: File
    scale: Scale = 1.0

    def __str__(self) -> str:
        return f"{self.name}={self.file}={self.scale:g}"


class VectorSetting(BaseModel):
    """A control vector and its scale."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: File
    scale: Scale = 1.0

    def __str__(self) -> str:
        return f"{self.file}={self.scale:g}"


class AliasSetting(BaseModel):
    """Another name for a model, with adapters of its own where `lora` names them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    model: str = Field(min_length=1)
    lora: dict[str, Scale] | None = None

    def __str__(self) -> str:
        return f"{self.name}={self.model}"


LoraSettings = Annotated[tuple[LoraSetting, ...], NoDecode, BeforeValidator(_adapters)]
AliasSettings = Annotated[tuple[AliasSetting, ...], NoDecode, BeforeValidator(_aliases)]
VectorSettings = Annotated[tuple[VectorSetting, ...], NoDecode, BeforeValidator(_vectors)]
LayerRange = Annotated[tuple[int, int] | None, NoDecode, BeforeValidator(_layer_range)]
LayerCount = Annotated[int | Literal["auto", "all"], BeforeValidator(_layer_count)]
Proportions = Annotated[tuple[float, ...], NoDecode, BeforeValidator(_proportions)]
