"""Owns how much work a JSON Schema can make, told from its text before any of it is done: to compile it, and to check an answer against it.

Must not know what is done about it.
"""

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

JsonObject = dict[str, Any]

_MOST_EVALUATIONS = 10_000
"""Most schemas that a value may have to be held against: references that fork double their number with each step."""


def levels(schema: JsonObject) -> int:
    """How deep a compiler may go that follows each reference once: in the worst case through the deepest part behind every one."""
    references, deepest = {""}, 0
    unread: list[tuple[Any, int]] = [(schema, 1)]
    while unread:
        item, depth = unread.pop()
        if isinstance(item, dict):
            deepest = max(deepest, depth)
            references.add(str(item.get("$ref", "")))
            unread += ((value, depth + 1) for value in item.values())
        elif isinstance(item, list):
            unread += ((value, depth) for value in item)
    return len(references) * deepest


def remainders(schema: JsonObject) -> int:
    """How many states it takes to tell the multiples apart: as many as the least common multiple has, for each `multipleOf`."""
    given = (item.get("multipleOf") for item in _objects(schema))
    numbers = [value for value in given if isinstance(value, int | float) and not isinstance(value, bool)]
    divisors = [Decimal(repr(value)).normalize().as_tuple().digits for value in numbers]
    return len(divisors) * math.lcm(*(int("".join(map(str, digits))) for digits in set(divisors)))


def is_cheap_to_check(schema: JsonObject) -> bool:
    """Whether finding out if an answer is valid can't take for ever. Where references go by other names than paths, nobody knows."""
    if any(
        isinstance(item.get(name), str) for item in _objects(schema) if item is not schema for name in ("$id", "id")
    ):
        return False
    return _evaluations(schema, schema, {}) <= _MOST_EVALUATIONS


def _objects(schema: Any) -> Iterator[JsonObject]:
    """Every object in it, whatever it means there."""
    unread = [schema]
    while unread:
        item = unread.pop()
        if isinstance(item, dict):
            yield item
            unread += item.values()
        elif isinstance(item, list):
            unread += item


def _evaluations(schema: Any, root: JsonObject, known: dict[int, int]) -> int:
    """How many schemas a value is held against with this one, at the value itself; one that refers to itself counts once."""
    if not isinstance(schema, dict):
        return 1
    if id(schema) not in known:
        known[id(schema)] = 1
        known[id(schema)] += sum(_evaluations(part, root, known) for part in _parts_in_place(schema, root))
        if "$ref" in schema and _target(schema["$ref"], root) is None:
            known[id(schema)] += _MOST_EVALUATIONS
    return known[id(schema)]


def _parts_in_place(schema: JsonObject, root: JsonObject) -> Iterator[Any]:
    for keyword in ("allOf", "anyOf", "oneOf"):
        yield from schema.get(keyword) or ()
    yield from (schema[keyword] for keyword in ("if", "then", "else", "not") if keyword in schema)
    yield from (schema.get("dependentSchemas") or {}).values()
    target = _target(schema["$ref"], root) if "$ref" in schema else None
    yield from () if target is None or target is root else (target,)


def _target(reference: str, root: JsonObject) -> Any:
    """What a reference by a path leads to; None where it leads nowhere, or is of another kind."""
    start, *steps = reference.split("/")
    if start != "#":
        return None
    target: Any = root
    for step in steps:
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(target, list) and name.isdecimal() and int(name) < len(target):
            target = target[int(name)]
        else:
            target = target.get(name) if isinstance(target, dict) else None
    return target
