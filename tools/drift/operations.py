"""Where the operations of two documents differ: their places, parameters, bodies, responses and stream events.

Owns what an operation exchanges. Must not know which differences are meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tools.drift.comparison import Comparison, Difference
from tools.drift.shapes import MARKERS, Node, Schema, lookup, root

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
EVENT_STREAM = "text/event-stream"
LINES = "application/x-ndjson"


class Operation(NamedTuple):
    """An operation and where it stands."""

    document: Schema
    method: str
    path: str
    node: Schema
    parameters: tuple[Schema, ...]

    @property
    def marked(self) -> bool:
        """Whether the operation is an addition of our own."""
        return _marked(self.node)


def operations(document: Schema) -> dict[str, Operation]:
    """The operations of a document by operationId."""
    found = {}
    for path, item in document["paths"].items():
        for method in (method for method in METHODS if method in item):
            node = item[method]
            parameters = (*item.get("parameters", ()), *node.get("parameters", ()))
            resolved = tuple(_resolved(document, parameter) for parameter in parameters)
            found[node["operationId"]] = Operation(document, method, path, node, resolved)
    return found


def differences(published: Operation, ours: Operation) -> Iterator[Difference]:
    """Every difference between a published operation and ours."""
    if (published.method, published.path) != (ours.method, ours.path):
        yield Difference("path", "path", f"{published.method} {published.path}", f"{ours.method} {ours.path}")
    compared = Comparison()
    yield from _parameters(compared, published, ours)
    yield from _request(compared, published, ours)
    yield from _responses(compared, published, ours)


def _parameters(compared: Comparison, published: Operation, ours: Operation) -> Iterator[Difference]:
    theirs = {(node["in"], node["name"]): node for node in published.parameters}
    own = {(node["in"], node["name"]): node for node in ours.parameters}
    for key in [*theirs, *(key for key in own if key not in theirs)]:
        path = ".".join(("parameters", *key))
        if key not in theirs or key not in own:
            if not _marked(own.get(key, {})):
                yield Difference(path, "property", _presence(theirs.get(key)), _presence(own.get(key)))
            continue
        yield from _flag(path, "required", theirs[key], own[key])
        yield from _schemas(compared, path, published, theirs[key]["schema"], ours, own[key]["schema"])


def _request(compared: Comparison, published: Operation, ours: Operation) -> Iterator[Difference]:
    theirs = _resolved(published.document, published.node.get("requestBody", {}))
    own = _resolved(ours.document, ours.node.get("requestBody", {}))
    yield from _flag("request", "required body", theirs, own, keyword="required")
    yield from _contents(compared, "request", published, theirs, ours, own)


def _responses(compared: Comparison, published: Operation, ours: Operation) -> Iterator[Difference]:
    theirs, own = published.node["responses"], ours.node["responses"]
    for status in [*theirs, *(status for status in own if status not in theirs)]:
        path = f"response.{status}"
        own_response = _resolved(ours.document, own.get(status, {}))
        if status not in theirs or status not in own:
            if not _marked(own_response):
                yield Difference(path, "response", _presence(theirs.get(status)), _presence(own.get(status)))
            continue
        yield from _contents(
            compared, path, published, _resolved(published.document, theirs[status]), ours, own_response
        )


def _contents(
    compared: Comparison, path: str, published: Operation, theirs: Schema, ours: Operation, own: Schema
) -> Iterator[Difference]:
    """The media types of a body, and the schemas behind them."""
    their_media, our_media = theirs.get("content", {}), own.get("content", {})
    for name in [*their_media, *(name for name in our_media if name not in their_media)]:
        if name not in their_media or name not in our_media:
            if not _marked(our_media.get(name, {})):
                presence = (_presence(their_media.get(name)), _presence(our_media.get(name)))
                yield Difference(f"{path} {name}", "media type", *presence)
            continue
        schema = event_schema(ours.document, name, our_media[name]["schema"])
        below = path if name == "application/json" else f"{path}.event"
        yield from _schemas(compared, below, published, their_media[name]["schema"], ours, schema)


def event_schema(document: Schema, media_type: str, schema: Schema) -> Schema:
    """What one event or line carries: ours describe the envelope and the sequence, the published ones only the content."""
    if media_type == EVENT_STREAM:
        alternatives = _resolved(document, schema)["properties"]["data"]["anyOf"]
        contents: list[Schema] = [branch["contentSchema"] for branch in alternatives if "contentSchema" in branch]
        return contents[0]
    if media_type == LINES:
        items: Schema = _resolved(document, schema)["items"]
        return items
    return schema


def _schemas(
    compared: Comparison, path: str, published: Operation, theirs: Schema, ours: Operation, own: Schema
) -> Iterator[Difference]:
    yield from compared.schemas(path, root(published.document, theirs), root(ours.document, own))


def _flag(path: str, kind: str, theirs: Schema, own: Schema, keyword: str | None = None) -> Iterator[Difference]:
    their_flag, our_flag = (bool(node.get(keyword or kind, False)) for node in (theirs, own))
    if their_flag != our_flag:
        yield Difference(path, kind, str(their_flag), str(our_flag))


def request_node(operation: Operation) -> Node | None:
    """The schema of an operation's JSON body, if it has one."""
    body = _resolved(operation.document, operation.node.get("requestBody", {}))
    media = body.get("content", {}).get("application/json")
    return root(operation.document, media["schema"]) if media else None


def _resolved(document: Schema, node: Mapping[str, Any]) -> Schema:
    while "$ref" in node:
        node = {**lookup(document, node["$ref"]), **{key: value for key, value in node.items() if key != "$ref"}}
    return node


def _marked(node: Schema) -> bool:
    return any(node.get(marker) for marker in MARKERS)


def _presence(node: object) -> str:
    return "absent" if node is None else "present"
