"""Owns how much work a JSON Schema can make, told from its text before any of it is done: to compile it, and to check an answer against it.

Must not know what is done about it.
"""

import math
from collections.abc import Callable, Collection, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from engine.llama.schema_references import References

JsonObject = dict[str, Any]

_MOST_AT_A_VALUE = 10_000
_MOST_IN_ALL = 10_000_000
"""Most schemas that a value, and the deepest one within it, may have to be held against: references that fork double their number."""
_IN_PLACE = ("allOf", "anyOf", "oneOf")
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
    references = References(schema)
    names, deepest = {""}, 0
    unread: list[tuple[Any, int]] = [(schema, 1)]
    while unread:
        item, depth = unread.pop()
        if isinstance(item, dict):
            deepest = max(deepest, depth)
            names.add(references.name(item))
            unread += ((value, depth + 1) for value in item.values())
        elif isinstance(item, list):
            unread += ((value, depth) for value in item)
    return len(names) * deepest


def remainders(schema: JsonObject) -> int:
    """How many states it takes to tell the multiples apart: as many as the least common multiple has, for each `multipleOf`."""
    given = (item.get("multipleOf") for item in objects(schema))
    numbers = [value for value in given if isinstance(value, int | float) and not isinstance(value, bool)]
    divisors = [Decimal(repr(value)).normalize().as_tuple().digits for value in numbers]
    return len(divisors) * math.lcm(*(int("".join(map(str, digits))) for digits in set(divisors)))


def check_cost(schema: JsonObject) -> CheckCost:
    """What finding out if an answer is valid may cost."""
    references, parts = References(schema), list(objects(schema))
    evaluations: dict[int, int] = {}
    forks: dict[int, int] = {}
    return CheckCost(
        max(_counted(part, references, evaluations, lambda _: 1) for part in parts),
        max(
            _counted(part, references, forks, lambda each: int(any(key in each for key in _FOR_CHILDREN)))
            for part in parts
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


def objects(schema: Any, without: Collection[str] = ()) -> Iterator[JsonObject]:
    """Every object in it, whatever it means there, but for what stands under these keys."""
    unread = [schema]
    while unread:
        item = unread.pop()
        if isinstance(item, dict):
            yield item
            unread += (value for key, value in item.items() if key not in without)
        elif isinstance(item, list):
            unread += item


def _counted(schema: Any, references: References, known: dict[int, int], count: Callable[[JsonObject], int]) -> int:
    """The counts of all schemas that a value is held against with this one, at the value itself; one that refers to itself counts once."""
    if not isinstance(schema, dict):
        return 0
    if id(schema) not in known:
        known[id(schema)] = count(schema)
        target = references.target(schema) if "$ref" in schema else schema
        parts = [part for keyword in _IN_PLACE if isinstance(schema.get(keyword), list) for part in schema[keyword]]
        parts += [] if target is schema else [target]
        known[id(schema)] += sum(_counted(part, references, known, count) for part in parts)
        if target is None:
            known[id(schema)] += _MOST_AT_A_VALUE
    return known[id(schema)]
