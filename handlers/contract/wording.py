"""What a client is told about a violation: where, what was expected, and what came.

Owns the sentences and OpenAI's codes for them. Must not know schemas or HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from handlers.contract.violation import Path, Violation
from handlers.errors import ApiError

_TYPE_NAMES = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "a boolean",
    "array": "an array",
    "object": "an object",
    "null": "null",
}
_LONGEST_SHOWN_VALUE = 60
_LONGEST_SHOWN_PATH = 200

_EXPECTATIONS: dict[str, tuple[Callable[[Any], str], str]] = {
    "type": (lambda types: f"must be {_alternatives([_TYPE_NAMES[name] for name in types])}", "invalid_type"),
    "enum": (lambda options: f"must be {_listed([_shown(value) for value in options])}", "invalid_value"),
    "const": (lambda value: f"must be {_shown(value)}", "invalid_value"),
    "minimum": (lambda limit: f"must be at least {limit}", "below_min_value"),
    "maximum": (lambda limit: f"must be at most {limit}", "above_max_value"),
    "exclusiveMinimum": (lambda limit: f"must be greater than {limit}", "below_min_value"),
    "exclusiveMaximum": (lambda limit: f"must be less than {limit}", "above_max_value"),
    "multipleOf": (lambda factor: f"must be a multiple of {factor}", "invalid_value"),
    "minLength": (lambda limit: f"must have at least {_counted(limit, 'character')}", "string_below_min_length"),
    "maxLength": (lambda limit: f"must have at most {_counted(limit, 'character')}", "string_above_max_length"),
    "pattern": (lambda expected: f"must be {expected}", "invalid_value"),
    "format": (lambda name: f"must be a valid {name}", "invalid_value"),
    "minItems": (lambda limit: f"must have at least {_counted(limit, 'item')}", "array_below_min_length"),
    "maxItems": (lambda limit: f"must have at most {_counted(limit, 'item')}", "array_above_max_length"),
    "uniqueItems": (lambda _: "must not contain an item twice", "invalid_value"),
    "minProperties": (lambda limit: f"must have at least {_counted(limit, 'key')}", "object_below_min_properties"),
    "maxProperties": (lambda limit: f"must have at most {_counted(limit, 'key')}", "object_above_max_properties"),
    "anyOf": (lambda _: "has none of the allowed forms", "invalid_value"),
    "oneOf": (lambda _: "must have exactly one of the allowed forms", "invalid_value"),
}
_OTHERWISE: tuple[Callable[[Any], str], str] = (lambda _: "is not allowed here", "invalid_value")


def as_refusal(violation: Violation, instance: Any, *, name: str | None = None) -> ApiError:
    """The 400 that reports `violation` of `instance`: the parameter `name`, or where there is none, the body."""
    param = (name or "") + path_text(violation.path, instance) or None
    subject = f"'{param}'" if param else "The request body"
    if violation.keyword == "required":
        return ApiError(400, f"{subject} is required.", param=param, code="missing_required_parameter")
    if violation.keyword == "additionalProperties":
        return ApiError(400, f"{subject} is not a known key here.", param=param, code="unknown_parameter")
    if violation.keyword == "propertyNames":
        message = f"{subject} is not a name that may stand here: expected {violation.limit}."
        return ApiError(400, message, param=param, code="invalid_value")
    expectation, code = _EXPECTATIONS.get(violation.keyword, _OTHERWISE)
    value = _value_at(violation.path, instance)
    got = _shown_type(value) if violation.keyword == "type" else _shown(value)
    message = f"{subject} {expectation(violation.limit)}; got {got}."
    return ApiError(400, message, param=param, code=_numeric(code, violation.types))


def path_text(path: Path, instance: Any) -> str:
    """A path as clients write it: `messages[2].content`. Whether a number is a key or an index, `instance` tells."""
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) and not isinstance(instance, dict) else f".{key}"
        instance = _child(instance, key)
    return text.removeprefix(".")[:_LONGEST_SHOWN_PATH]


def _value_at(path: Path, instance: Any) -> Any:
    for key in path:
        instance = _child(instance, key)
    return instance


def _child(instance: Any, key: str | int) -> Any:
    """The child of a parsed JSON value. The validator reports numeric keys of objects as numbers."""
    if isinstance(instance, dict):
        return instance.get(str(key))
    return instance[key] if isinstance(instance, list) and isinstance(key, int) else None


def _numeric(code: str, types: Sequence[str]) -> str:
    """OpenAI's codes for a number out of range name the kind of number that was expected."""
    if code not in ("below_min_value", "above_max_value"):
        return code
    return f"{'decimal' if 'number' in types else 'integer'}_{code}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"one of {_alternatives(names)}"


def _alternatives(names: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _shown_type(value: Any) -> str:
    return _TYPE_NAMES[_json_type(value)]


def _json_type(value: Any) -> str:
    kinds: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    return "null" if value is None else kinds.get(type(value), "object")


def _shown(value: Any) -> str:
    """A value in a sentence: short scalars as they are, everything else by its kind and size."""
    if isinstance(value, str):
        return repr(value) if len(value) <= _LONGEST_SHOWN_VALUE else f"a string of {len(value)} characters"
    if isinstance(value, list):
        return f"an array of {_counted(len(value), 'item')}"
    if isinstance(value, dict):
        return f"an object of {_counted(len(value), 'key')}"
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    return f"{value:g}" if isinstance(value, float) else str(value)[:_LONGEST_SHOWN_VALUE]
