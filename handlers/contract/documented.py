"""What the documents say, as plain values: each operation with its full path, parameters, and where its schemas stand.

Owns reading OpenAPI's structure (references, servers, ranges of statuses). Must not know Connexion, nor compile a schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

_BRANCHES = ("allOf", "anyOf", "oneOf")
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
Spec = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """A node of a document: which document, and the JSON pointer (RFC 6901) of the node in it."""

    document: str
    pointer: str

    def child(self, *keys: str | int) -> Place:
        """The node that `keys` lead to from here."""
        escaped = (str(key).replace("~", "~0").replace("/", "~1") for key in keys)
        return Place(self.document, "/".join((self.pointer, *escaped)))


@dataclass(frozen=True, slots=True)
class Parameter:
    """A declared path, query or header parameter. `type` is its JSON type on the wire."""

    name: str
    location: Literal["path", "query", "header", "cookie"]
    required: bool
    type: str
    allow_slashes: bool
    schema: Place


@dataclass(frozen=True, slots=True)
class Operation:
    """One documented operation. `key` is `document.operationId`, `path` starts at the server's root.

    `body` maps media types to schemas, `responses` statuses ("200", "4XX", "default") to media types to schemas.
    """

    key: str
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    body: Mapping[str, Place]
    body_required: bool
    responses: Mapping[str, Mapping[str, Place | None]]


class Reader:
    """Resolves references within one document."""

    def __init__(self, name: str, spec: Spec) -> None:
        self.name = name
        self.spec = spec

    def at(self, place: Place) -> Any:
        """The node at a place of this document."""
        node: Any = self.spec
        for part in place.pointer.split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            node = node[int(key)] if isinstance(node, list) else node[key]
        return node

    def resolve(self, place: Place) -> tuple[Place, Any]:
        """The node at `place`, or the one that its chain of `$ref` ends at."""
        node = self.at(place)
        while isinstance(node, Mapping) and "$ref" in node:
            place = Place(self.name, node["$ref"].removeprefix("#"))
            node = self.at(place)
        return place, node

    def parts(self, schema: Place) -> Iterator[tuple[Place, dict[str, Any]]]:
        """A schema, and every schema that it combines: branches of unions and intersections, down to the last."""
        place, node = self.resolve(schema)
        if not isinstance(node, dict):
            return
        yield place, node
        for keyword in _BRANCHES:
            for index in range(len(node.get(keyword, ()))):
                yield from self.parts(place.child(keyword, index))


def operations(name: str, spec: Spec) -> list[Operation]:
    """Every operation of a document."""
    reader = Reader(name, spec)
    prefix = base_path(spec)
    return [
        _operation(reader, prefix + path, Place(name, "").child("paths", path), method)
        for path, item in spec["paths"].items()
        for method in METHODS
        if method in item
    ]


def base_path(spec: Spec) -> str:
    """The path that a document's first server adds before every path: "" or, say, "/v1"."""
    return str(spec.get("servers", [{"url": "/"}])[0]["url"]).rstrip("/")


def types_of(schema: Spec) -> tuple[str, ...]:
    """The JSON types that a schema itself names; none where it leaves them open."""
    declared = schema.get("type", ())
    return (declared,) if isinstance(declared, str) else tuple(declared)


def _operation(reader: Reader, path: str, item: Place, method: str) -> Operation:
    place = item.child(method)
    node = reader.at(place)
    content, body_required = _request_body(reader, place, node)
    return Operation(
        key=f"{reader.name}.{node['operationId']}",
        method=method.upper(),
        path=path,
        parameters=tuple(_parameters(reader, item, place)),
        body=content,
        body_required=body_required,
        responses={status: _content(reader, place.child("responses", status)) for status in node["responses"]},
    )


def _parameters(reader: Reader, *owners: Place) -> Iterator[Parameter]:
    for owner in owners:
        for index in range(len(reader.at(owner).get("parameters", ()))):
            place, node = reader.resolve(owner.child("parameters", index))
            yield Parameter(
                name=node["name"],
                location=node["in"],
                required=node.get("required", False),
                type=_wire_type(reader, place.child("schema")),
                allow_slashes=node.get("x-allow-slashes", False),
                schema=place.child("schema"),
            )


def _wire_type(reader: Reader, schema: Place) -> str:
    """The JSON type that a parameter's text stands for; of several, the first that is not null."""
    names = (name for _, node in reader.parts(schema) for name in types_of(node))
    return next((name for name in names if name != "null"), "string")


def _request_body(reader: Reader, operation: Place, node: Spec) -> tuple[Mapping[str, Place], bool]:
    if "requestBody" not in node:
        return {}, False
    place, body = reader.resolve(operation.child("requestBody"))
    return {media: place.child("content", media, "schema") for media in body["content"]}, body.get("required", False)


def _content(reader: Reader, response: Place) -> Mapping[str, Place | None]:
    place, node = reader.resolve(response)
    content = node.get("content", {})
    return {media: place.child("content", media, "schema") if "schema" in content[media] else None for media in content}
