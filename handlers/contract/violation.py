"""Why a value is refused: the one broken rule that the client should hear of, in the branch that the client meant.

Owns the search. It descends from the schema that refused the whole to the smallest part at fault, asking the compiled validators on
the way, so that its cost is that of reading the value once or a few times: a validator's own list of errors grows with every fault
times every branch of a union, minutes for a body of a few megabytes. Must not know how a violation is worded, nor HTTP.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from handlers.contract.documented import Place, Reader, types_of
from handlers.contract.schemas import Schemas

Path = tuple[str | int, ...]

# Keywords that look at the value itself, not at what is in it.
_OWN = (
    *("type", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minLength", "maxLength", "pattern", "format", "minItems", "maxItems", "uniqueItems"),
    *("minProperties", "maxProperties", "propertyNames"),
)
_UNIONS = ("anyOf", "oneOf")
_CHUNK = 256


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule: the JSON Schema keyword, its value, and where in the instance it was broken.

    For `required`, `additionalProperties` and `propertyNames` the path ends with the property at fault. The keyword is empty where no
    rule alone is broken. `types` are those that the schema allows.
    """

    path: Path
    keyword: str
    limit: Any = None
    types: tuple[str, ...] = ()


class CheckedSchema:
    """A schema of a document, ready to judge values."""

    def __init__(self, place: Place, reader: Reader, schemas: Schemas) -> None:
        self.is_valid = schemas.validator(place).is_valid
        self._place = place
        self._search = Search(reader, schemas)

    def violation(self, value: Any) -> Violation:
        """Why it refuses `value`, which it does."""
        return self._search.violation(self._place, value)


class Search:
    """Finds violations of the schemas of one document."""

    def __init__(self, reader: Reader, schemas: Schemas) -> None:
        self._reader = reader
        self._schemas = schemas

    def violation(self, schema: Place, value: Any, path: Path = ()) -> Violation:
        """Why the schema at `schema` refuses `value`, which stands at `path`. A wrong part goes before a missing one."""
        place, node = self._reader.resolve(schema)
        if not isinstance(node, Mapping):
            return Violation(path, "")
        return (
            self._own(place, node, value, path)
            or self._within(place, node, value, path)
            or _missing(node, value, path)
            or self._combined(place, node, value, path)
            or Violation(path, "")
        )

    def _own(self, place: Place, node: Mapping[str, Any], value: Any, path: Path) -> Violation | None:
        """The first rule about the value itself that it breaks, its type before all others."""
        for keyword in _OWN:
            if keyword in node and not self._schemas.keyword(place, keyword, node[keyword]).is_valid(value):
                if keyword == "propertyNames":
                    path = (*path, self._wrong_name(place.child(keyword), value))
                return Violation(path, keyword, _limit(node, keyword), tuple(types_of(node)))
        return None

    def _wrong_name(self, names: Place, value: Mapping[str, Any]) -> str:
        """The first key of `value` that the schema of its keys refuses."""
        return next(key for key in value if not self._valid(names, key))

    def _within(self, place: Place, node: Mapping[str, Any], value: Any, path: Path) -> Violation | None:
        """The violation in the first property or item that is not valid."""
        for key, child in self._invalid_parts(place, node, value):
            part = value[key]
            return self.violation(child, part, (*path, key))
        return None

    def _invalid_parts(self, place: Place, node: Mapping[str, Any], value: Any) -> Iterator[tuple[Any, Place]]:
        if isinstance(value, list) and "items" in node:
            items = place.child("items")
            yield from ((index, items) for index in self._invalid_items(items, value))
        if isinstance(value, dict):
            properties = node.get("properties", {})
            for key in value:
                if key in properties and not self._valid(place.child("properties", key), value[key]):
                    yield key, place.child("properties", key)
            if isinstance(node.get("additionalProperties"), Mapping):
                others = place.child("additionalProperties")
                keys = (key for key in value if key not in properties)
                yield from ((key, others) for key in self._invalid_values(others, value, keys))

    def _invalid_items(self, schema: Place, values: Sequence[Any]) -> Iterator[int]:
        """Items are tried many at a time: the validator passes over valid ones much faster than Python does."""
        validator = self._schemas.keyword(schema, "items", self._schemas.reference(schema))
        for start in range(0, len(values), _CHUNK):
            chunk = values[start : start + _CHUNK]
            if not validator.is_valid(chunk):
                yield from (start + at for at, item in enumerate(chunk) if not self._valid(schema, item))

    def _invalid_values(self, schema: Place, value: Mapping[str, Any], keys: Iterable[str]) -> Iterator[str]:
        validator = self._schemas.keyword(schema, "additionalProperties", self._schemas.reference(schema))
        remaining = iter(keys)
        while chunk := {key: value[key] for key in islice(remaining, _CHUNK)}:
            if not validator.is_valid(chunk):
                yield from (key for key, item in chunk.items() if not self._valid(schema, item))

    def _combined(self, place: Place, node: Mapping[str, Any], value: Any, path: Path) -> Violation | None:
        """What the schemas that this one combines say."""
        for index in range(len(node.get("allOf", ()))):
            part = place.child("allOf", index)
            if not self._valid(part, value):
                return self.violation(part, value, path)
        for keyword in _UNIONS:
            if keyword in node:
                branches = list(self._branches(place, keyword))
                accepting = sum(self._valid(branch, value) for branch in branches)
                if accepting == 0:
                    return self._of_union(branches, value, path)
                if accepting > 1 and keyword == "oneOf":
                    return Violation(path, "oneOf")
        return None

    def _branches(self, place: Place, keyword: str) -> Iterator[Place]:
        """The branches of a union, a union in a branch's place being replaced by its own branches."""
        for index in range(len(self._reader.at(place)[keyword])):
            branch, node = self._reader.resolve(place.child(keyword, index))
            nested = next((name for name in _UNIONS if name in node and "type" not in node), None)
            if nested is None:
                yield branch
            else:
                yield from self._branches(branch, nested)

    def _of_union(self, branches: Sequence[Place], value: Any, path: Path) -> Violation:
        """Of a value that no branch accepts: its type, else its tag, else the complaint of the branch that comes closest."""
        nodes = {branch: self._reader.at(branch) for branch in branches}
        fitting = [branch for branch in branches if _has_type(nodes[branch], value)]
        if not fitting:
            return Violation(path, "type", sorted({name for node in nodes.values() for name in types_of(node)}))
        # A branch whose tag the value lacks is not meant where another can do without: an input item without a type is a message.
        fitting = [branch for branch in fitting if not self._lacks_tag(branch, value)] or fitting
        fixed = [self._fixed(branch, value) for branch in fitting]
        tag = _tag(fixed, value)
        if tag is not None:
            meant = [branch for branch, values in zip(fitting, fixed, strict=True) if _hits(values, tag, value)]
            if not meant:
                return Violation((*path, tag), "enum", _merged(values[tag] for values in fixed if tag in values))
            fitting = meant
        return self._nearest(fitting, value, path)

    def _nearest(self, branches: Sequence[Place], value: Any, path: Path) -> Violation:
        found = [self.violation(branch, value, path) for branch in branches]
        if all(violation.path == path and violation.keyword in ("const", "enum") for violation in found):
            return Violation(path, "enum", _merged(_allowed(violation) for violation in found))
        return min(found, key=_distance)

    def _fixed(self, branch: Place, value: Any) -> dict[str, list[Any]]:
        """The properties of `value` for which a branch allows certain values only, and those values."""
        fixed: dict[str, list[Any]] = {}
        for place, node in self._reader.parts(branch) if isinstance(value, dict) else ():
            for key in node.get("properties", {}).keys() & value.keys():
                if choices := self._choices(place, key):
                    fixed[key] = choices
        return fixed

    def _choices(self, schema: Place, key: str) -> list[Any]:
        """The only values that a schema allows for a property; none where it allows others."""
        if key not in self._reader.at(schema).get("properties", {}):
            return []
        _, child = self._reader.resolve(schema.child("properties", key))
        return list(child.get("enum", [child["const"]] if "const" in child else []))

    def _lacks_tag(self, branch: Place, value: Any) -> bool:
        """Whether a branch requires a property, for which it allows one value only, that `value` does not have."""
        return isinstance(value, dict) and any(
            key not in value and len(self._choices(place, key)) == 1
            for place, node in self._reader.parts(branch)
            for key in node.get("required", ())
        )

    def _valid(self, schema: Place, value: Any) -> bool:
        return self._schemas.validator(schema).is_valid(value)


def _limit(node: Mapping[str, Any], keyword: str) -> Any:
    """What a rule asks for; in place of a pattern, the words that the document has for it."""
    if keyword == "type":
        return list(types_of(node))
    if keyword == "pattern":
        return node.get("x-expected", f"text that matches {node['pattern']}")
    return node[keyword].get("x-expected", "another name") if keyword == "propertyNames" else node[keyword]


def _missing(node: Mapping[str, Any], value: Any, path: Path) -> Violation | None:
    """A property that is not there, or one that must not be."""
    if not isinstance(value, dict):
        return None
    for key in node.get("required", ()):
        if key not in value:
            return Violation((*path, key), "required")
    if node.get("additionalProperties") is False:
        for key in value:
            if key not in node.get("properties", {}):
                return Violation((*path, key), "additionalProperties")
    return None


def _distance(violation: Violation) -> tuple[int, int, list[int]]:
    """How far a value is from a branch: the deeper the fault and the later, the nearer; what is missing or of a wrong type is
    farther than what is merely out of range."""
    indices = [-key for key in violation.path if isinstance(key, int)]
    return -len(violation.path), {"type": 1, "required": 2}.get(violation.keyword, 0), indices


def _tag(fixed: Sequence[Mapping[str, list[Any]]], value: Any) -> str | None:
    """The property that tells branches apart: the one whose value most of them do not allow."""
    missed = Counter(key for values in fixed for key in values if _misses(values, key, value))
    return missed.most_common(1)[0][0] if missed else None


def _misses(values: Mapping[str, list[Any]], key: str, value: Mapping[str, Any]) -> bool:
    return key in values and value[key] not in values[key]


def _hits(values: Mapping[str, list[Any]], key: str, value: Mapping[str, Any]) -> bool:
    return key in values and value[key] in values[key]


def _allowed(violation: Violation) -> list[Any]:
    return list(violation.limit) if violation.keyword == "enum" else [violation.limit]


def _merged(options: Iterable[Iterable[Any]]) -> list[Any]:
    """All options, each once, in order."""
    merged: list[Any] = []
    for each in options:
        merged += [option for option in each if option not in merged]
    return merged


def _has_type(node: Mapping[str, Any], value: Any) -> bool:
    """Whether a schema leaves room for the JSON type of `value`."""
    types = types_of(node)
    if not types:
        return True
    if isinstance(value, bool) or value is None:
        return ("null" if value is None else "boolean") in types
    if isinstance(value, int | float):
        return "number" in types or ("integer" in types and value == int(value))
    kinds: dict[type, str] = {str: "string", list: "array", dict: "object"}
    return kinds[type(value)] in types
