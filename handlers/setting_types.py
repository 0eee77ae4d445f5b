"""The kinds of values that settings have, and how each is read from the text of an option or a variable.

Owns their notation and the complaint about a bad one. Must not know any setting.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator
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


def _expanded(path: Path) -> Path:
    return path.expanduser()


Several = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_several)]
Seconds = Annotated[float, BeforeValidator(_seconds)]
File = Annotated[Path, AfterValidator(_expanded)]
LayerCount = Annotated[int | Literal["auto", "all"], BeforeValidator(_layer_count)]
Proportions = Annotated[tuple[float, ...], NoDecode, BeforeValidator(_proportions)]
