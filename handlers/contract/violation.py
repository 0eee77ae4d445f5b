"""Which of a validator's errors the client should hear of: the one in the branch that the client meant.

A union ("anyOf", "oneOf") fails with one list of errors per branch, most of them about shapes nobody intended. Owns the choice.
Must not know how an error is worded, nor HTTP.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jsonschema_rs import ValidationError

Path = tuple[str | int, ...]
Branch = list[ValidationError]


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule: the JSON Schema keyword, its value, and where in the instance it was broken.

    For `required` and `additionalProperties` the path ends with the property at fault.
    """

    path: Path
    keyword: str
    limit: Any


def chosen(errors: Sequence[ValidationError]) -> Violation:
    """The violation to report of an instance's errors."""
    error = _most_telling(errors)
    if _branches(error):
        return _within_union(error)
    return _leaf(error)


def _within_union(error: ValidationError) -> Violation:
    here = _path(error)
    branches = _flattened(error)
    of_type = [branch for branch in branches if not _at(branch, here, "type")]
    if not of_type:
        return Violation(here, "type", _union_of_types(branches, here))
    tag = _tag(of_type, here)
    meant = [branch for branch in of_type if not _tag_errors(branch, tag)] if tag else of_type
    if not meant and tag:
        return Violation(tag, "enum", _allowed([error for branch in of_type for error in _tag_errors(branch, tag)]))
    return _nearest(meant, here)


def _nearest(branches: list[Branch], here: Path) -> Violation:
    """Of branches that the value could have been meant for, what the one with the fewest faults complains of."""
    values = [error for branch in branches if len(branch) == 1 for error in branch if _is_choice(error, here)]
    if len(values) == len(branches):
        return Violation(here, "enum", _allowed(values))
    return chosen(min(branches, key=_distance))


def _distance(branch: Sequence[ValidationError]) -> tuple[int, int, bool, list[int]]:
    """How far a value is from a branch: fewest errors first, then what went wrong deepest, of the right type, and last."""
    first = branch[0].instance_path
    last_index = [-key for key in first if isinstance(key, int)]
    return len(branch), -len(first), branch[0].kind.name == "type", last_index


def _most_telling(errors: Sequence[ValidationError]) -> ValidationError:
    """The first wrong value; a missing or surplus property only if every present one is right."""
    wrong = (error for error in errors if error.kind.name not in ("required", "additionalProperties"))
    return next(wrong, errors[0])


def _flattened(error: ValidationError) -> list[Branch]:
    """The branches of a union, a union in a branch's place being replaced by its own branches."""
    flat: list[Branch] = []
    for branch in _branches(error):
        nested = len(branch) == 1 and _branches(branch[0]) and _path(branch[0]) == _path(error)
        flat += _flattened(branch[0]) if nested else [branch]
    return flat


def _branches(error: ValidationError) -> list[Branch]:
    """Each branch's errors, where `error` says that a value fits none of them."""
    if error.kind.name not in ("anyOf", "oneOf"):
        return []
    return [list(branch) for branch in getattr(error.kind, "context", ()) if branch]


def _tag(branches: list[Branch], here: Path) -> Path | None:
    """The property that tells the branches apart: the one right below the union whose fixed value most of them miss."""
    found = Counter(path for branch in branches for path in {_path(error) for error in branch if _is_tag(error, here)})
    return found.most_common(1)[0][0] if found else None


def _is_tag(error: ValidationError, here: Path) -> bool:
    return error.kind.name in ("const", "enum") and len(error.instance_path) == len(here) + 1


def _tag_errors(branch: Branch, tag: Path) -> list[ValidationError]:
    return [error for error in branch if _path(error) == tag and error.kind.name in ("const", "enum")]


def _is_choice(error: ValidationError, here: Path) -> bool:
    return error.kind.name in ("const", "enum") and _path(error) == here


def _allowed(errors: list[ValidationError]) -> list[Any]:
    """Every value that one of these `const` and `enum` errors would have taken, in order."""
    values: list[Any] = []
    for error in errors:
        options = error.kind.value if error.kind.name == "enum" else [error.kind.value]
        values += [value for value in options if value not in values]
    return values


def _at(branch: Branch, path: Path, keyword: str) -> list[ValidationError]:
    return [error for error in branch if error.kind.name == keyword and _path(error) == path]


def _union_of_types(branches: list[Branch], here: Path) -> list[str]:
    return sorted({name for branch in branches for error in _at(branch, here, "type") for name in _types(error)})


def _types(error: ValidationError) -> list[str]:
    value = error.kind.value
    return [value] if isinstance(value, str) else list(value)


def _leaf(error: ValidationError) -> Violation:
    path, keyword, limit = _path(error), error.kind.name, error.kind.value
    if keyword == "required":
        return Violation((*path, limit), keyword, None)
    if keyword in ("additionalProperties", "unevaluatedProperties"):
        return Violation((*path, limit[0]), "additionalProperties", None)
    if keyword == "type":
        return Violation(path, keyword, _types(error))
    return Violation(path, keyword, limit)


def _path(error: ValidationError) -> Path:
    return tuple(error.instance_path)
