"""Where two schemas differ in what they accept. Must not know operations, nor which differences are meant."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tools.drift.shapes import CONSTRAINTS, Branch, Node, Schema, branches, default, is_marked, named


class Difference(NamedTuple):
    """One difference: where, in which respect, what is published and what is ours."""

    path: str
    kind: str
    published: str
    ours: str


class Comparison:
    """One walk over two schemas in step. A pair of schemas that is reached again, be it from within itself, is compared once."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, int], tuple[Schema, Schema]] = {}  # keeps them alive, and so their ids their own

    def schemas(self, path: str, published: Node, ours: Node) -> Iterator[Difference]:
        """Every difference between two schemas at `path`, and below it."""
        pair = named(published), named(ours)
        key = id(pair[0]), id(pair[1])
        if key in self._seen:
            return
        self._seen[key] = pair
        if default(published) != default(ours):
            yield Difference(path, "default", _shown(default(published)), _shown(default(ours)))
        yield from self._unions(path, branches(published), branches(ours))

    def _unions(self, path: str, published: Sequence[Branch], ours: Sequence[Branch]) -> Iterator[Difference]:
        ours = [branch for branch in ours if not branch.marked]
        for kind in sorted({branch.kind for branch in (*published, *ours)}):
            yield from self._of_kind(
                path,
                [branch for branch in published if branch.kind == kind],
                [branch for branch in ours if branch.kind == kind],
            )

    def _of_kind(self, path: str, published: list[Branch], ours: list[Branch]) -> Iterator[Difference]:
        """Branches of one type: the only ones are a pair, of several those with the same key."""
        single = len(published) <= 1 and len(ours) <= 1
        theirs_by_key, ours_by_key = _keyed(published, single=single), _keyed(ours, single=single)
        for key in [*theirs_by_key, *(key for key in ours_by_key if key not in theirs_by_key)]:
            theirs, own = theirs_by_key.get(key), ours_by_key.get(key)
            if theirs and own:
                yield from self._branches(path if single else path + _label(key), theirs, own)
            else:
                yield Difference(path, f"type {_name(theirs or own)}", _presence(theirs), _presence(own))

    def _branches(self, path: str, published: Branch, ours: Branch) -> Iterator[Difference]:
        if published.enum is None or ours.enum is None:
            if published.enum != ours.enum:
                yield Difference(path, "enum", _shown(published.enum), _shown(ours.enum))
        else:
            yield from _members(path, "enum", published.enum, ours.enum)
        for keyword in CONSTRAINTS.get(published.kind, ()):
            theirs, own = published.constraints.get(keyword), ours.constraints.get(keyword)
            if theirs != own:
                yield Difference(path, keyword, _shown(theirs), _shown(own))
        yield from self._properties(path, published, ours)
        yield from self._children(f"{path}[]", published.items, ours.items)
        yield from self._children(f"{path}.*", published.additional, ours.additional)

    def _properties(self, path: str, published: Branch, ours: Branch) -> Iterator[Difference]:
        if published.closed != ours.closed:
            yield Difference(path, "additionalProperties", _openness(published), _openness(ours))
        yield from _members(path, "required", published.required, ours.required)
        for key in [*published.properties, *(key for key in ours.properties if key not in published.properties)]:
            yield from self._property(f"{path}.{key}", published.properties.get(key), ours.properties.get(key))

    def _property(self, path: str, published: Node | None, ours: Node | None) -> Iterator[Difference]:
        if published is None or ours is None:
            if ours is None or not is_marked(ours):
                yield Difference(path, "property", _presence(published), _presence(ours))
            return
        if is_marked(ours):
            yield Difference(path, "marker", "present", "marked as ours")
        yield from self.schemas(path, published, ours)

    def _children(self, path: str, published: Node | None, ours: Node | None) -> Iterator[Difference]:
        if published is not None and ours is not None:
            yield from self.schemas(path, published, ours)
        elif published is not None or ours is not None:
            yield Difference(path, "values", _presence(published), _presence(ours))


def _members(path: str, kind: str, published: frozenset[Any], ours: frozenset[Any]) -> Iterator[Difference]:
    """One difference for each member that only one of the two has."""
    for member in sorted(published ^ ours, key=str):
        presence = ("present", "absent") if member in published else ("absent", "present")
        yield Difference(path, f"{kind} {member or json.dumps(member)}", *presence)


def _keyed(alternatives: list[Branch], *, single: bool) -> dict[Hashable, Branch]:
    """The branches by key; those that nothing tells apart are numbered, so that none is lost."""
    found: dict[Hashable, Branch] = {}
    for branch in alternatives:
        key = None if single else _key(branch)
        found[key if key not in found else ("number", len(found))] = branch
    return found


def _key(branch: Branch) -> Hashable:
    """What tells a branch from its siblings of the same type: an object's tags, what an array holds."""
    if branch.kind == "array":
        return ("of", _signature(branch))
    return tuple(sorted(_tags(branch).items()))


def _signature(branch: Branch) -> str:
    if branch.kind != "array" or branch.items is None:
        return branch.kind
    return "array of " + "/".join(sorted({_signature(inner) for inner in branches(branch.items)}))


def _tags(branch: Branch) -> Mapping[str, str]:
    """The properties with one legal value."""
    tags = {}
    for key, node in branch.properties.items():
        values = [inner.enum for inner in branches(node)]
        if len(values) == 1 and values[0] is not None and len(values[0]) == 1:
            tags[key] = str(next(iter(values[0])))
    return tags


def _label(key: Hashable) -> str:
    """How a path names one branch of several: `messages[]<user>`."""
    if not isinstance(key, tuple) or not key:
        return "<untagged>"
    return f"<{key[1]}>" if key[0] in {"of", "number"} else "<" + ",".join(value for _, value in key) + ">"


def _name(branch: Branch | None) -> str:
    if branch is None or branch.kind != "object":
        return "nothing" if branch is None else _signature(branch)
    tags = ", ".join(_tags(branch).values())
    return f"object ({tags})" if tags else "object"


def _presence(found: object) -> str:
    return "absent" if found is None else "present"


def _openness(branch: Branch) -> str:
    return "forbidden" if branch.closed else "allowed"


def _shown(value: Any) -> str:
    if value is None:
        return "absent"
    return "[" + ", ".join(sorted(map(str, value))) + "]" if isinstance(value, frozenset) else repr(value)
