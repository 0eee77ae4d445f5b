"""What coverage.yaml owes: every published operation, a status for every parameter served, a reason for every difference.

Owns the judgement of what is unexplained. Must not know how differences are found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tools.drift.comparison import Difference
from tools.drift.operations import Operation, request_node
from tools.drift.shapes import Node, branches

Entry = Mapping[str, Any]


def operation_faults(
    entries: Mapping[str, Entry], published: Mapping[str, Operation], ours: Mapping[str, Operation]
) -> Iterator[str]:
    """Operations that coverage leaves out, invents or misplaces."""
    for name in published.keys() - entries.keys():
        yield f"{name}: published, but coverage does not mention it"
    for name, entry in entries.items():
        yield from _entry_faults(name, entry, published.get(name), ours.get(name))
    for name in ours.keys() - entries.keys():
        yield f"{name}: in our document, but coverage does not mention it"


def _entry_faults(name: str, entry: Entry, published: Operation | None, ours: Operation | None) -> Iterator[str]:
    if published is None and not (ours and ours.marked):
        yield f"{name}: covered, but not published"
    if published is not None and ours is not None and ours.marked:
        yield f"{name}: marked as ours, but published"
    if (entry["status"] == "served") != (ours is not None):
        yield f"{name}: coverage says {entry['status']}, our document {'describes it' if ours else 'does not have it'}"
    if entry["status"] != "served" and published is not None:
        place = (entry.get("method"), entry.get("path"))
        if place != (published.method, published.path):
            yield f"{name}: coverage places it at {place}, published is {published.method} {published.path}"
        if not entry.get("reason"):
            yield f"{name}: no reason why it is not served"


def parameter_faults(name: str, entry: Entry, ours: Operation) -> Iterator[str]:
    """Request parameters without a status, and statuses of parameters that do not exist."""
    body = request_node(ours)
    paths = set(_paths(body)) if body else set()
    top = {path for path in paths if not any(character in path for character in ".[")}
    own = {parameter["name"] for parameter in ours.parameters}
    covered = entry.get("parameters", {})
    for parameter in sorted((top | own) - covered.keys()):
        yield f"{name}: parameter {parameter} has no status in coverage"
    for parameter in covered.keys() - paths - own:
        yield f"{name}: coverage speaks of {parameter}, which our document does not have"


def _paths(node: Node, prefix: str = "", above: frozenset[int] = frozenset()) -> Iterator[str]:
    """The path of every property and list below a schema: `messages`, `messages[]`, `messages[].content` ..."""
    if id(node.schema) in above:
        return
    above |= {id(node.schema)}
    for branch in branches(node):
        for key, value in branch.properties.items():
            path = f"{prefix}.{key}" if prefix else key
            yield path
            yield from _paths(value, path, above)
        if branch.items is not None:
            yield f"{prefix}[]"
            yield from _paths(branch.items, f"{prefix}[]", above)


def unexplained(name: str, entry: Entry, found: Iterable[Difference]) -> Iterator[str]:
    """The differences that coverage gives no reason for, and the reasons that it gives for none."""
    reasons = {(path, kind) for path, kinds in entry.get("differences", {}).items() for kind in kinds}
    for difference in found:
        if (difference.path, difference.kind) not in reasons:
            yield f"{name}: {difference.path}: {difference.kind}: published {difference.published}, ours {difference.ours}"
        reasons.discard((difference.path, difference.kind))
    for path, kind in sorted(reasons):
        yield f"{name}: {path}: {kind}: coverage explains a difference that does not exist"
