"""Integers that clients write as decimals: `16.0` is an integer in JSON Schema 2020-12, and becomes one before a handler sees it.

Owns finding an operation's integer fields, and the rule that what cannot be held exactly is refused. Must not know HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from handlers.contract.documented import Place, Reader, types_of
from handlers.errors import ApiError

_EXACT = 2**53  # beyond it a double skips integers; the JSON parser makes doubles of what 64 bits cannot hold


@dataclass(slots=True)
class Integers:
    """Where a value's integers stand: `whole` says that the value itself is one."""

    whole: bool = False
    nested: dict[str, Integers] = field(default_factory=dict)
    items: Integers | None = None

    @property
    def absent(self) -> bool:
        """Whether there is no integer in the value."""
        return not self.whole and not self.nested and self.items is None


def integer_fields(reader: Reader, schema: Place) -> Integers:
    """Where the integers of a value of the schema at `schema` stand."""
    return _of(reader, [schema], ())


def _of(reader: Reader, schemas: Iterable[Place], above: tuple[Place, ...]) -> Integers:
    parts = {place: node for schema in schemas for place, node in reader.parts(schema) if place not in above}
    types = {name for node in parts.values() for name in types_of(node)}
    below = (*above, *(place for place, node in parts.items() if "properties" in node or "items" in node))
    children: dict[str, list[Place]] = {}
    for place, node in parts.items():
        for key in node.get("properties", ()):
            children.setdefault(key, []).append(place.child("properties", key))
    fields = {key: _of(reader, places, below) for key, places in children.items()}
    items = [place.child("items") for place, node in parts.items() if "items" in node]
    found = _of(reader, items, below) if items else Integers()
    return Integers(
        whole="integer" in types and "number" not in types,
        nested={key: child for key, child in fields.items() if not child.absent},
        items=None if found.absent else found,
    )


def make_integral(integers: Integers, value: Any, path: str = "") -> Any:
    """`value` with each decimal in an integer's place replaced by that integer; containers are changed in place."""
    if integers.whole and isinstance(value, float):
        return _integer(value, path)
    if isinstance(value, dict):
        prefix = f"{path}." if path else ""
        for key in integers.nested.keys() & value.keys():
            value[key] = make_integral(integers.nested[key], value[key], prefix + key)
    elif integers.items is not None and isinstance(value, list) and _worth_a_look(integers.items, value):
        value[:] = [make_integral(integers.items, item, f"{path}[{index}]") for index, item in enumerate(value)]
    return value


def _worth_a_look(items: Integers, values: list[Any]) -> bool:
    """Token lists are long and nearly always hold integers only: their types are compared without a Python loop."""
    types = set(map(type, values))
    return float in types or (types != {int} and not (items.whole and items.items is None))


def _integer(value: float, path: str) -> int:
    if abs(value) > _EXACT:
        raise ApiError(400, f"'{path}' is too large: it must fit into 64 bits.", param=path, code="invalid_value")
    return int(value)
