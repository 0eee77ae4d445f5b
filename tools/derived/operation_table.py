"""From the OpenAPI documents to the table of operations, whose keys the type checker knows.

Owns the table's columns. Must not know the functions that operations are bound to.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tools.derived.source import generated_header

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_STREAMS = ("text/event-stream", "application/x-ndjson")

_CLASS = '''
class Operation(NamedTuple):
    """One operation of a document. `body` names the type of its request body in `handlers.wire.types`, if it has one.

    `streams` is the media type of its stream of events, if it has one.
    """

    method: str
    path: str
    body: str | None
    streams: str | None
'''


class _Row(NamedTuple):
    key: str
    values: tuple[str | None, ...]


def operation_table(documents: Mapping[str, Mapping[str, Any]]) -> str:
    """The source of a module with every operation of every document, in the documents' order."""
    rows = [row for name, document in documents.items() for row in _rows(name, document)]
    keys = ", ".join(f'"{row.key}"' for row in rows)
    entries = "".join(f'    "{row.key}": Operation({", ".join(map(_source, row.values))}),\n' for row in rows)
    return (
        generated_header("Every operation of the documents, by `document.operationId`.")
        + "\nfrom collections.abc import Mapping\nfrom typing import Literal, NamedTuple\n"
        + f"\nOperationKey = Literal[{keys}]\n"
        + _CLASS
        + f"\n\nOPERATIONS: Mapping[OperationKey, Operation] = {{\n{entries}}}\n"
    )


def _rows(name: str, document: Mapping[str, Any]) -> Iterator[_Row]:
    prefix = document["servers"][0]["url"].rstrip("/")
    for path, item in document["paths"].items():
        for method in (method for method in _METHODS if method in item):
            operation = item[method]
            body = _body_name(operation)
            values = (method.upper(), prefix + path, body, _stream(operation))
            yield _Row(f"{name}.{operation['operationId']}", values)


def _body_name(operation: Mapping[str, Any]) -> str | None:
    content = operation.get("requestBody", {}).get("content", {})
    return next((str(media["schema"]["$ref"]).rpartition("/")[2] for media in content.values()), None)


def _stream(operation: Mapping[str, Any]) -> str | None:
    content = operation["responses"].get("200", {}).get("content", {})
    return next((media for media in content if media in _STREAMS), None)


def _source(value: str | None) -> str:
    return "None" if value is None else f'"{value}"'
