"""Owns how much work a JSON Schema can make, told from its text before any of it is done: to compile it, and to check an answer against it.

Must not know what is done about it.
"""

import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import unquote

JsonObject = dict[str, Any]

_MOST_AT_A_VALUE = 10_000
_MOST_IN_ALL = 10_000_000
"""Most schemas that a value, and the deepest one within it, may have to be held against: references that fork double their number."""
_FOR_CHILDREN = ("properties", "patternProperties", "additionalProperties", "items", "prefixItems", "additionalItems")


class CheckCost(NamedTuple):
    """How many schemas a value may be held against at the most, and how many of these look at what is within it."""

    evaluations: int
    forks: int

    def is_bearable(self, depth: int) -> bool:
        """Whether a document so deep is checked in no time."""
        if self.evaluations > _MOST_AT_A_VALUE:
            return False
        return self.evaluations * float(max(1, self.forks)) ** min(depth, 100) <= _MOST_IN_ALL


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
    given = (item.get("multipleOf") for item in objects(schema))
    numbers = [value for value in given if isinstance(value, int | float) and not isinstance(value, bool)]
    divisors = [Decimal(repr(value)).normalize().as_tuple().digits for value in numbers]
    return len(divisors) * math.lcm(*(int("".join(map(str, digits))) for digits in set(divisors)))


def check_cost(schema: JsonObject) -> CheckCost:
    """What finding out if an answer is valid may cost. Where references go by other names than paths, nobody knows: too much."""
    if any(isinstance(item.get(name), str) for item in objects(schema) if item is not schema for name in ("$id", "id")):
        return CheckCost(_MOST_AT_A_VALUE + 1, 0)
    parts = list(objects(schema))
    evaluations: dict[int, int] = {}
    forks: dict[int, int] = {}
    return CheckCost(
        max(_counted(part, schema, evaluations, lambda _: 1) for part in parts),
        max(
            _counted(part, schema, forks, lambda each: int(any(key in each for key in _FOR_CHILDREN))) for part in parts
        ),
    )


def depth_of(document: Any) -> int:
    """How deep values lie within it."""
    deepest, unread = 0, [(document, 0)]
    while unread:
        item, depth = unread.pop()
        deepest = max(deepest, depth)
        if isinstance(item, dict | list):
            unread += ((value, depth + 1) for value in (item.values() if isinstance(item, dict) else item))
    return deepest


def objects(schema: Any) -> Iterator[JsonObject]:
    """Every object in it, whatever it means there."""
    unread = [schema]
    while unread:
        item = unread.pop()
        if isinstance(item, dict):
            yield item
            unread += item.values()
        elif isinstance(item, list):
            unread += item


def _counted(schema: Any, root: JsonObject, known: dict[int, int], count: Callable[[JsonObject], int]) -> int:
    """The counts of all schemas that a value is held against with this one, at the value itself; one that refers to itself counts once."""
    if not isinstance(schema, dict):
        return 0
    if id(schema) not in known:
        known[id(schema)] = count(schema)
        known[id(schema)] += sum(_counted(part, root, known, count) for part in _parts_in_place(schema, root))
        if "$ref" in schema and _target(schema["$ref"], root) is None:
            known[id(schema)] += _MOST_AT_A_VALUE
    return known[id(schema)]


def _parts_in_place(schema: JsonObject, root: JsonObject) -> Iterator[Any]:
    for keyword in ("allOf", "anyOf", "oneOf"):
        parts = schema.get(keyword)
        yield from parts if isinstance(parts, list) else ()
    target = _target(schema["$ref"], root) if "$ref" in schema else None
    yield from () if target is None or target is root else (target,)


def _target(reference: Any, root: JsonObject) -> Any:
    """What a reference by a path leads to; None where it leads nowhere, or is of another kind."""
    start, *steps = str(reference).split("/")
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
