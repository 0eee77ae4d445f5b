"""From coverage.yaml to the page that says what is supported: every operation, and every parameter of the served ones.

Owns the page's layout. Must not judge what is supported: coverage.yaml says so.
"""

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from tools.derived.source import GENERATED_MARK

Coverage = Mapping[str, Any]

_INTRODUCTION = f"""# What is supported

<!-- {GENERATED_MARK} from openapi/coverage.yaml and the documents; do not edit: `make generate` renews it. -->

*Honoured* parameters do what the published description says. A *hint* is accepted and cannot change the answer. A *planned*
or *refused* one gets 400 `unsupported_parameter`, unless it has a neutral value. An operation that is not served answers 404
`operation_not_served`. Parameters marked with + are additions of this server.
"""

_HEADINGS = {"openai": "OpenAI API", "ollama": "Ollama API"}


def support_matrix(documents: Mapping[str, Mapping[str, Any]], coverage: Coverage) -> str:
    """The page's Markdown."""
    sections = [_section(name, documents[name], coverage[name]) for name in _HEADINGS]
    return "\n".join([_INTRODUCTION, *sections])


def _section(name: str, document: Mapping[str, Any], operations: Coverage) -> str:
    counts = ", ".join(
        f"{sum(operation['status'] == status for operation in operations.values())} {status}"
        for status in ("served", "planned", "refused")
    )
    served = [_served(document, key, entry) for key, entry in operations.items() if entry["status"] == "served"]
    return "\n".join([f"## {_HEADINGS[name]}\n\n{counts}.\n", *served, _not_served(operations)])


def _served(document: Mapping[str, Any], operation_id: str, entry: Coverage) -> str:
    method, path, body = _operation(document, operation_id)
    heading = f"### `{method.upper()} {path}` · {operation_id}\n"
    if not entry.get("parameters"):
        return heading
    extensions = _extensions(document, body)
    rows = [
        f"| `{name}`{'+' if name in extensions else ''} | {status} | {note} |"
        for name, parameter in entry["parameters"].items()
        for status, note in _statuses(parameter)
    ]
    return "\n".join([heading, "| parameter | status | |", "|---|---|---|", *rows, ""])


def _statuses(parameter: Any) -> Iterator[tuple[str, str]]:
    """The status and note of each entry for one parameter."""
    for entry in parameter if isinstance(parameter, list) else [parameter]:
        if isinstance(entry, str):
            yield entry, ""
        else:
            neutral = ", ".join(f"`{json.dumps(value)}`" for value in entry.get("neutral", ()))
            status = f"{entry['status']} for some values" if "when" in entry else entry["status"]
            yield status, entry["reason"] + (f" Neutral: {neutral}." if neutral else "")


def _not_served(operations: Coverage) -> str:
    rows = [
        (entry["status"], entry["reason"], f"`{entry['method'].upper()} {entry['path']}`")
        for entry in operations.values()
        if entry["status"] != "served"
    ]
    groups = groupby(sorted(rows, key=lambda row: row[:2]), key=lambda row: row[:2])
    lines = [f"| {status} | {reason} | {', '.join(row[2] for row in group)} |" for (status, reason), group in groups]
    return "\n".join(["### Not served\n", "| | | operations |", "|---|---|---|", *lines, ""])


def _operation(document: Mapping[str, Any], operation_id: str) -> tuple[str, str, Mapping[str, Any]]:
    """Method, full path and body schema of an operation."""
    prefix = document["servers"][0]["url"].rstrip("/")
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if operation["operationId"] == operation_id:
                content = operation.get("requestBody", {}).get("content", {})
                name = content.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
                return method, prefix + path, document["components"]["schemas"].get(name, {})
    raise LookupError(f"coverage.yaml says that {operation_id} is served, but no document describes it")


def _extensions(document: Mapping[str, Any], body: Mapping[str, Any]) -> set[str]:
    components = document["components"]["schemas"]
    return {
        key
        for key, schema in body.get("properties", {}).items()
        if {**components.get(schema.get("$ref", "").rpartition("/")[2], {}), **schema}.get("x-trueline-extension")
    }
