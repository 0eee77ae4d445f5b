"""The keys of a request that no document knows: accepted and named, or refused where the server is strict.

Owns the derivation of an operation's known keys from its schema. A value may be meant for any branch of a union, so a key is
known where any branch knows it. Must not know HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from handlers.contract.documented import Place, Reader, types_of


@dataclass(slots=True)
class Known:
    """What schemas know of a value's keys. `free`: any key may stand here. `nested`: the children that need a look."""

    free: bool = True
    keys: frozenset[str] = frozenset()
    nested: dict[str, Known] = field(default_factory=dict)
    items: Known | None = None

    @property
    def indifferent(self) -> bool:
        """Whether nothing in the value could be unknown."""
        return self.free and not self.nested and self.items is None


def known_keys(reader: Reader, schema: Place) -> Known:
    """What the schema at `schema` knows."""
    return _Derivation(reader).of([schema])


def unknown_paths(known: Known, value: Any, path: str = "") -> Iterator[str]:
    """The path of every key in `value`, which stands at `path`, that `known` does not know: `messages[0].mood`."""
    if isinstance(value, dict):
        prefix = f"{path}." if path else ""
        if not (known.free or value.keys() <= known.keys):
            yield from (f"{prefix}{key}" for key in value if key not in known.keys)
        for key in known.nested.keys() & value.keys():
            yield from unknown_paths(known.nested[key], value[key], prefix + key)
    elif known.items is not None and isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, dict | list):
                yield from unknown_paths(known.items, item, f"{path}[{index}]")


def without_unknown(known: Known) -> dict[str, Any]:
    """A JSON Schema for the values in which `known` knows every key: what the validator finds fast, `unknown_paths` names."""
    definitions: dict[str, Any] = {}
    return {**_closed(known, definitions), "$defs": definitions}


def _closed(known: Known, definitions: dict[str, Any]) -> dict[str, Any]:
    """A reference to the definition of `known`, which is made where it does not exist yet."""
    name = str(id(known))
    if name not in definitions:
        schema = definitions[name] = {}
        nested = {key: _closed(child, definitions) for key, child in known.nested.items()}
        schema["properties"] = nested if known.free else dict.fromkeys(known.keys, True) | nested
        schema["additionalProperties"] = known.free
        schema["items"] = True if known.items is None else _closed(known.items, definitions)
    return {"$ref": f"#/$defs/{name}"}


class _Derivation:
    """One walk over a schema. Sets of schemas that a value may be meant for become one `Known`; recursive ones refer back."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._done: dict[frozenset[Place], Known] = {}

    def of(self, schemas: Iterable[Place]) -> Known:
        """What is known of a value that may be meant for any of `schemas`."""
        places = frozenset(schemas)
        if places not in self._done:
            # Registered before it is filled, as a schema may contain itself; until it is full it must not look indifferent.
            known = self._done[places] = Known(free=False)
            self._fill(known, dict(part for place in places for part in self._reader.parts(place)))
        return self._done[places]

    def _fill(self, known: Known, parts: dict[Place, Any]) -> None:
        of_objects = {place: node for place, node in parts.items() if _speaks_of_objects(node)}
        children: dict[str, list[Place]] = {}
        for place, node in of_objects.items():
            for key in node.get("properties", ()):
                children.setdefault(key, []).append(place.child("properties", key))
        known.keys = frozenset(children)
        candidates = {key: self.of(places) for key, places in children.items()}
        known.nested = {key: child for key, child in candidates.items() if not child.indifferent}
        items = self.of(place.child("items") for place, node in parts.items() if "items" in node)
        known.items = None if items.indifferent else items
        known.free = not of_objects or any(_takes_any_key(node) for node in of_objects.values())


def _speaks_of_objects(node: dict[str, Any]) -> bool:
    return "properties" in node or "object" in types_of(node) or "additionalProperties" in node or not node


def _takes_any_key(node: dict[str, Any]) -> bool:
    return "properties" not in node or isinstance(node.get("additionalProperties"), dict)
