"""What a schema accepts, in one form however it is spelled: a union of branches with one JSON type each.

Owns the spellings: `$ref`, `$recursiveRef`, `allOf`, `anyOf`, `oneOf`, lists of types, `const`, OpenAPI 3.0's `nullable` and
boolean `exclusiveMinimum`. Must not know operations, nor which document is whose.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

Schema = Mapping[str, Any]

_WORDS = ("title", "description")
MARKERS = ("x-trueline-extension", "x-unpublished")

_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_TEXT = ("minLength", "maxLength", "pattern", "contentEncoding")
_LIST = ("minItems", "maxItems", "uniqueItems")
_OBJECT = ("minProperties", "maxProperties", "propertyNames")
CONSTRAINTS: Mapping[str, tuple[str, ...]] = {
    "integer": _BOUNDS,
    "number": _BOUNDS,
    "string": _TEXT,
    "array": _LIST,
    "object": _OBJECT,
    "any": (*_BOUNDS, *_TEXT, *_LIST, *_OBJECT),
}
_SCALARS = ("string", "integer", "number", "boolean")


@dataclass(frozen=True, eq=False)
class Node:
    """A schema in its document. `component` is the schema that `$recursiveRef: '#'` in it means."""

    document: Schema
    schema: Schema
    component: Schema

    def at(self, schema: Any) -> Node:
        """A schema inside this one; `true` accepts everything."""
        return replace(self, schema=schema if isinstance(schema, Mapping) else {})


@dataclass(frozen=True)
class Branch:
    """Values of one JSON type (`kind`, or "any"). `closed`: no other properties. `marked`: an addition of our own."""

    kind: str
    constraints: Mapping[str, Any] = field(default_factory=dict)
    enum: frozenset[Any] | None = None
    properties: Mapping[str, Node] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    items: Node | None = None
    additional: Node | None = None
    closed: bool = False
    marked: bool = False


def root(document: Schema, schema: Schema) -> Node:
    """The node of a schema that stands in an operation."""
    return Node(document, schema, schema)


def resolve(node: Node) -> Node:
    """The node with its references followed; what stands beside a reference is kept and wins."""
    while "$ref" in node.schema or "$recursiveRef" in node.schema:
        beside = {key: value for key, value in node.schema.items() if key not in {"$ref", "$recursiveRef"}}
        target = lookup(node.document, node.schema["$ref"]) if "$ref" in node.schema else node.component
        node = Node(node.document, {**target, **beside}, target)
    return node


def named(node: Node) -> Schema:
    """The schema that a mere reference names, or the node's own: references to one schema are alike, whatever is said beside them."""
    schema = node.schema
    while "$ref" in schema and schema.keys() <= {"$ref", *_WORDS}:
        schema = lookup(node.document, schema["$ref"])
    return schema


def lookup(document: Schema, reference: str) -> Schema:
    """The node that a reference within the document names."""
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return found  # type: ignore[no-any-return] # a JSON value; references name objects


def is_marked(node: Node) -> bool:
    """Whether the schema, or what it refers to, says that it is an addition of ours."""
    schema = resolve(node).schema
    return any(schema.get(marker) for marker in MARKERS)


def default(node: Node) -> Any:
    """The default that the schema states, itself or in one branch; null is none."""
    schema = resolve(node).schema
    if "default" in schema:
        return schema["default"]
    parts = [part for keyword in ("anyOf", "oneOf", "allOf") for part in schema.get(keyword, ())]
    return next((value for part in parts if (value := default(node.at(part))) is not None), None)


def branches(node: Node) -> list[Branch]:
    """The union that the schema accepts, without branches that another one contains."""
    return _without_contained(_merged_enums(_all_branches(resolve(node))))


def _all_branches(node: Node) -> list[Branch]:
    schema = node.schema
    found = list(_own(node))
    for part in schema.get("allOf", ()):
        found = list(_intersections(found, branches(node.at(part))))
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            union = [branch for part in schema[keyword] for branch in _all_branches(resolve(node.at(part)))]
            found = list(_intersections(found, union))
    if schema.get("nullable") and all(branch.kind != "null" for branch in found):
        found.append(Branch("null"))
    marked = any(schema.get(marker) for marker in MARKERS)
    return [replace(branch, marked=True) for branch in found] if marked else found


def _own(node: Node) -> Iterator[Branch]:
    """What the schema's own keywords accept, unions aside."""
    schema = node.schema
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    for kind in _kinds(schema, values):
        enum = None if values is None else frozenset(value for value in values if _kind_of(value) == kind)
        if enum is None or enum:
            yield _branch(node, kind, None if kind == "null" else enum)


def _kinds(schema: Schema, values: list[Any] | None) -> list[str]:
    declared = schema.get("type")
    if declared is not None:
        return [declared] if isinstance(declared, str) else list(declared)
    if values is not None:
        return sorted({_kind_of(value) for value in values})
    if "properties" in schema:
        return ["object"]
    return ["array"] if "items" in schema else ["any"]


def _kind_of(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null", list: "array"}
    return names.get(type(value), "object")


def _branch(node: Node, kind: str, enum: frozenset[Any] | None) -> Branch:
    schema = node.schema
    object_like, array_like = kind in {"object", "any"}, kind in {"array", "any"}
    additional = schema.get("additionalProperties", {}) if object_like else {}
    return Branch(
        kind=kind,
        constraints=_constraints(schema, kind),
        enum=enum,
        properties={key: node.at(value) for key, value in schema.get("properties", {}).items()} if object_like else {},
        required=frozenset(schema.get("required", ())) if object_like else frozenset(),
        items=node.at(schema["items"]) if array_like and "items" in schema else None,
        additional=node.at(additional) if isinstance(additional, Mapping) and additional else None,
        closed=additional is False,
    )


def _constraints(schema: Schema, kind: str) -> Mapping[str, Any]:
    """The constraints that apply to a type, in 2020-12's spelling."""
    found = {key: schema[key] for key in CONSTRAINTS.get(kind, ()) if key in schema}
    for exclusive, inclusive in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if found.get(exclusive) is True:
            found[exclusive] = found.pop(inclusive)
        elif found.get(exclusive) is False:
            del found[exclusive]
    return found


def _intersections(left: Iterable[Branch], right: Iterable[Branch]) -> Iterator[Branch]:
    """What both unions accept."""
    for one, other in product(left, list(right)):
        if one.kind == "any" or other.kind in {"any", one.kind}:
            yield _intersection(one, other)


def _intersection(one: Branch, other: Branch) -> Branch:
    shared = one.properties.keys() & other.properties.keys()
    both = {
        key: one.properties[key].at({"allOf": [_inline(one.properties[key]), _inline(other.properties[key])]})
        for key in shared
    }
    return Branch(
        kind=other.kind if one.kind == "any" else one.kind,
        constraints={**one.constraints, **other.constraints},
        enum=other.enum if one.enum is None else one.enum if other.enum is None else one.enum & other.enum,
        properties={**one.properties, **other.properties, **both},
        required=one.required | other.required,
        items=other.items or one.items,
        additional=other.additional or one.additional,
        closed=one.closed or other.closed,
        marked=one.marked or other.marked,
    )


def _inline(node: Node) -> Schema:
    return resolve(node).schema


def _merged_enums(found: list[Branch]) -> list[Branch]:
    """Lists of values of one type become one list; equal branches become one."""
    merged: list[Branch] = []
    for branch in found:
        for index, earlier in enumerate(merged):
            if branch.kind == earlier.kind and branch.enum and earlier.enum and not branch.constraints:
                merged[index] = replace(earlier, enum=earlier.enum | branch.enum)
                break
            if branch.kind == earlier.kind == "null":
                break
        else:
            merged.append(branch)
    return merged


def _without_contained(found: list[Branch]) -> list[Branch]:
    """Drops lists of values of a scalar type that is accepted as a whole."""
    whole = {
        branch.kind for branch in found if branch.kind in _SCALARS and branch.enum is None and not branch.constraints
    }
    return [branch for branch in found if branch.enum is None or branch.kind not in whole]
