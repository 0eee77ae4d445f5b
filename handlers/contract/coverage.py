"""What this server does not do, by `coverage.yaml`: parameters refused unless neutral, and operations not served.

Owns the reading of the rules and their checks, compiled once. Must not know HTTP, nor the documents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from handlers.contract.schemas import compiled
from handlers.errors import ApiError

_SERVED = "served"
_REFUSING = ("refused", "planned")


@dataclass(frozen=True, slots=True)
class Unserved:
    """A published operation that this server answers with 404, and why."""

    key: str
    method: str
    path: str
    reason: str

    def refusal(self) -> ApiError:
        """The 404 that says so."""
        message = f"{self.method} {self.path} is a published operation that this server does not serve: {self.reason}"
        return ApiError(404, message, code="operation_not_served")


@dataclass(frozen=True, slots=True)
class _Rule:
    """One refused or planned use of a parameter: any value but null and the neutral ones, of those that `when` describes.

    `accepted` is the JSON Schema of all other values, `accepts` its check.
    """

    reason: str
    neutral: tuple[Any, ...]
    accepted: dict[str, Any]
    accepts: Callable[[Any], bool]

    @classmethod
    def of(cls, use: Mapping[str, Any]) -> _Rule:
        """The rule in one of coverage.yaml's mappings."""
        neutral = {"enum": [None, *use.get("neutral", ())]}
        accepted = {"anyOf": [neutral, {"not": use["when"]}]} if "when" in use else neutral
        return cls(use["reason"], tuple(use.get("neutral", ())), accepted, compiled(accepted).is_valid)

    def refusal(self, path: str) -> ApiError:
        others = " or ".join(orjson.dumps(value).decode() for value in self.neutral if value is not None)
        advice = f"Leave it out{' or send ' + others if others else ''}."
        message = f"'{path}' with this value is not supported: {self.reason} {advice}"
        return ApiError(400, message, param=path, code="unsupported_parameter")


@dataclass(slots=True)
class Limits:
    """The rules for a value, and for what is inside it. Without rules anything passes."""

    rules: list[_Rule] = field(default_factory=list)
    nested: dict[str, Limits] = field(default_factory=dict)
    items: Limits | None = None

    def schema(self) -> dict[str, Any]:
        """A JSON Schema for the values that pass: what the validator finds fast, `check` words."""
        return {
            "allOf": [True, *(rule.accepted for rule in self.rules)],
            "properties": {key: child.schema() for key, child in self.nested.items()},
            "items": True if self.items is None else self.items.schema(),
        }

    def check(self, value: Any, path: str = "") -> None:
        """Raises the 400 for the first use in `value` that is not supported."""
        for rule in self.rules:
            if not rule.accepts(value):
                raise rule.refusal(path)
        if isinstance(value, dict):
            prefix = f"{path}." if path else ""
            for key in self.nested.keys() & value.keys():
                self.nested[key].check(value[key], prefix + key)
        elif self.items is not None and isinstance(value, list):
            for index, item in enumerate(value):
                self.items.check(item, f"{path}[{index}]")


def limits(entry: Mapping[str, Any]) -> Limits:
    """The rules of one served operation's entry."""
    root = Limits()
    for path, uses in entry.get("parameters", {}).items():
        for use in uses if isinstance(uses, list) else [uses]:
            if isinstance(use, dict) and use["status"] in _REFUSING:
                _node(root, path).rules.append(_Rule.of(use))
    return root


def unserved(document: str, base_path: str, entries: Mapping[str, Mapping[str, Any]]) -> Iterator[Unserved]:
    """Every operation of a published document that is not served."""
    for operation_id, entry in entries.items():
        if entry["status"] != _SERVED:
            path = base_path + entry["path"].partition("?")[0]  # variants of an operation are told apart by a query
            yield Unserved(f"{document}.{operation_id}", entry["method"].upper(), path, entry["reason"])


def _node(root: Limits, path: str) -> Limits:
    """The node that a path like `messages[].content[]` names, made where it does not exist yet."""
    node = root
    for key in path.replace("[]", ".[]").split("."):
        if key == "[]":
            node.items = node.items or Limits()
            node = node.items
        else:
            node = node.nested.setdefault(key, Limits())
    return node
