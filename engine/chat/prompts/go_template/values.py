"""The values that a Go template works with, and what Go does with each: whether it counts as true, how it is written.

Owns truth, printing, lengths and slices. Strings count in bytes, as in Go. Must not know syntax, nor which values a conversation has.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

from engine.chat.prompts.meter import check_size

NO_VALUE = "<no value>"
_FOR_HTML = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026", 0x2028: "\\u2028", 0x2029: "\\u2029"}


class GoError(Exception):
    """A step that Go refuses; the evaluator says where."""


@dataclass(frozen=True, slots=True)
class Record:
    """A struct of Go's: `fields` are all it has. `json` is the JSON value it stands for; it is printed as such where `prints`."""

    kind: str
    fields: Mapping[str, Any]
    json: Any = None
    prints: bool = False


@dataclass(frozen=True, slots=True)
class JsonText:
    """A list or map that is printed as JSON, not as Go prints them: as `json`, or, where that is None, as the value itself."""

    value: list[Any] | dict[str, Any]
    json: Any = None


class Slice(Sequence[Any]):
    """A part of a list, without a copy of it."""

    def __init__(self, whole: Sequence[Any], start: int, stop: int) -> None:
        moved = whole._start if isinstance(whole, Slice) else 0
        self._whole: Sequence[Any] = whole._whole if isinstance(whole, Slice) else whole
        self._start: int = start + moved
        self._stop: int = stop + moved

    def __len__(self) -> int:
        return self._stop - self._start

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            start, stop, _ = index.indices(len(self))
            return Slice(self, start, max(start, stop))
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._whole[self._start + index]


def plain(value: Any) -> Any:
    """The list or map itself."""
    return value.value if isinstance(value, JsonText) else value


def kind_of(value: Any) -> str:
    """What Go would call it, for a message."""
    if isinstance(value, Record):
        return value.kind
    names = {bool: "bool", int: "int", float: "float", str: "string", dict: "map", type(None): "nil"}
    return names.get(type(plain(value)), "list")


def is_true(value: Any) -> bool:
    """Go's truth: nothing, zero and what is empty is false; a struct is true."""
    value = plain(value)
    return isinstance(value, Record) or bool(len(value) if isinstance(value, Slice) else value)


def length(value: Any) -> int:
    """Of a text in bytes, of a list or map in elements. Raises GoError."""
    value = plain(value)
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, list | tuple | Slice | dict):
        return len(value)
    raise GoError(f"len of a {kind_of(value)}, which has none")


def member(value: Any, name: str) -> Any:
    """A field of a struct, or what a map has under a key: nil where it has none. Raises GoError."""
    value = plain(value)
    if isinstance(value, Record):
        if name not in value.fields:
            known = ", ".join(f".{field}" for field in value.fields)
            raise GoError(f"{value.kind} has no field .{name}; it has {known}")
        return value.fields[name]
    if isinstance(value, dict):
        return value.get(name)
    raise GoError(f"a {kind_of(value)} has no fields, so no .{name}")


def element(value: Any, key: Any) -> Any:
    """`index value key`. Raises GoError."""
    value = plain(value)
    if isinstance(value, dict):
        if not isinstance(key, str):
            raise GoError(f"a map cannot be indexed by a {kind_of(key)}")
        return value.get(key)
    if not isinstance(value, list | tuple | Slice | str):
        raise GoError(f"a {kind_of(value)} cannot be indexed")
    sequence = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    return sequence[_position(key, len(sequence) - 1)]


def part(value: Any, bounds: Sequence[Any]) -> Any:
    """`slice value [from [to]]`. Raises GoError."""
    value = plain(value)
    if not isinstance(value, list | tuple | Slice | str):
        raise GoError(f"a {kind_of(value)} cannot be sliced")
    if len(bounds) > 2:
        raise GoError("slice with a capacity is not supported")
    encoded = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else None
    end = len(encoded) if encoded is not None else len(value)
    start = _position(bounds[0], end) if bounds else 0
    stop = _position(bounds[1], end) if len(bounds) > 1 else end
    if start > stop:
        raise GoError(f"a slice from {start} to {stop}")
    return encoded[start:stop].decode("utf-8", "replace") if encoded is not None else Slice(value, start, stop)


def _position(value: Any, highest: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise GoError(f"a position is a {kind_of(value)}; expected an int")
    if not 0 <= value <= highest:
        raise GoError(f"the position {value} is out of range; expected 0 to {highest}")
    return value


def text_of(value: Any, *, is_inner: bool = False) -> str:
    """What `{{ value }}` writes: Go's %v, of JSON values that Ollama prints as such their JSON. Raises GoError."""
    if isinstance(value, str):
        return value
    if value is None:
        return "<nil>" if is_inner else NO_VALUE
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value) if isinstance(value, int) else _float_text(value)
    if isinstance(value, JsonText) or (isinstance(value, Record) and value.prints):
        return json_text(value)
    return _structure_text(value)


def _structure_text(value: Any) -> str:
    if isinstance(value, dict):
        return f"map[{_joined(f'{key}:{text_of(value[key], is_inner=True)}' for key in sorted(value))}]"
    if isinstance(value, list | tuple | Slice):
        return f"[{_joined(text_of(item, is_inner=True) for item in value)}]"
    raise GoError(f"a {kind_of(value)} cannot be written as it is; write its fields, or its JSON")


def _joined(texts: Any) -> str:
    parts: list[str] = []
    size = 0
    for text in texts:
        size = check_size(size + len(text) + 1)
        parts.append(text)
    return " ".join(parts)


def _float_text(value: float) -> str:
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa}e{int(exponent):+03d}" if exponent else mantissa


def json_text(value: Any) -> str:
    """JSON as Go's encoding/json writes it: no spaces, maps sorted by key, what is special in HTML escaped. Raises GoError."""
    return json.dumps(_json_value(value), ensure_ascii=False, separators=(",", ":")).translate(_FOR_HTML)


def _json_value(value: Any) -> Any:
    if isinstance(value, Record | JsonText) and value.json is not None:
        return value.json
    if isinstance(value, Record):
        raise GoError(f"a {value.kind} has no JSON")
    value = plain(value)
    if isinstance(value, dict):
        return {key: _json_value(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple | Slice):
        return [_json_value(item) for item in value]
    return value
