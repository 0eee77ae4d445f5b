"""Owns which numbers of a JSON Schema llguidance takes for others: it computes bounds with 64 bits and writes constants as doubles.

Must not know where in a schema a number stands.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

JsonObject = dict[str, Any]

_LOWER, _UPPER = ("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")
BOUNDS = frozenset((*_LOWER, *_UPPER))
_LIMIT = (1 << 63) - 1
_FURTHEST = 9_223_372_036 * 10**9
"""Close to the limit, and written by its double as it is: llguidance computes with bounds of this size, and not with larger ones."""
_NEXT_TO_ZERO = 1e-30
"""In place of the first double above 0, which takes llguidance 324 digits to write."""


def confused_numbers(schema: JsonObject) -> Iterator[tuple[str, str]]:
    """Each keyword of this schema, not of those within it, whose number would be another, and why."""
    for keyword in ("const", "enum"):
        if keyword in schema and not all(map(_is_exact, _numbers(schema[keyword]))):
            yield keyword, "it has an integer that no double is equal to"
    for keyword in (*_LOWER, *_UPPER):
        bound = _bound(schema, keyword)
        if bound is not None and not _is_kept(bound, is_upper=keyword in _UPPER):
            yield keyword, "it is beyond what integers are told apart"


def keep_bounds(schemas: Iterable[JsonObject]) -> None:
    """Write the bounds of all schemas of a whole in numbers that llguidance keeps.

    Bounds that no integer of 64 bits reaches come down to the furthest that it computes with: beyond, nothing is written. An excluded
    integer with another bound less than one from it would not be excluded, wherever the two meet in one value; the next double is
    a bound that is kept.
    """
    parts = list(schemas)
    for schema in parts:
        for keyword in BOUNDS:
            _come_down(schema, keyword)
    for exclusive, others in (("exclusiveMinimum", _UPPER), ("exclusiveMaximum", _LOWER)):
        opposite = sorted(bound for schema in parts for bound in _bounds(schema, others))
        for schema in parts:
            bound = _bound(schema, exclusive)
            if bound is not None and bound % 1 == 0 and _is_met(bound, opposite, is_upper=exclusive in _UPPER):
                _include(schema, exclusive, _next(bound, is_upper=exclusive in _UPPER))


def _come_down(schema: JsonObject, keyword: str) -> None:
    bound, is_upper = _bound(schema, keyword), keyword in _UPPER
    if bound is None or (bound if is_upper else -bound) < _LIMIT:
        return
    if not (is_upper and schema.get("type") == "integer"):  # there alone it computes to the very end
        _include(schema, keyword, _FURTHEST if is_upper else -_FURTHEST)


def _is_met(bound: int | float, opposite: list[int | float], *, is_upper: bool) -> bool:
    """Whether one of these bounds lies within less than one of an excluded bound, on the side that is not excluded."""
    if is_upper:
        at = bisect_left(opposite, bound) - 1
        return at >= 0 and opposite[at] > bound - 1
    at = bisect_right(opposite, bound)
    return at < len(opposite) and opposite[at] < bound + 1


def _next(bound: int | float, *, is_upper: bool) -> float:
    towards = -math.inf if is_upper else math.inf
    return math.copysign(_NEXT_TO_ZERO, towards) if bound == 0 else math.nextafter(bound, towards)


def _include(schema: JsonObject, keyword: str, bound: int | float) -> None:
    """Have this bound instead of the keyword's, unless there is a tighter one beside it."""
    del schema[keyword]
    inclusive, tighter = ("maximum", min) if keyword in _UPPER else ("minimum", max)
    other = _bound(schema, inclusive)
    schema[inclusive] = bound if other is None else tighter(bound, other)


def _is_kept(bound: int | float, *, is_upper: bool) -> bool:
    """Integers end at 64 bits, so that what is allowed beyond is not written, but what has to be beyond would be."""
    at = bound if is_upper else -bound
    if at < -_LIMIT:
        return False
    return at >= _LIMIT or not isinstance(bound, int) or _is_exact(bound)


def _bounds(schema: JsonObject, keywords: tuple[str, ...]) -> list[int | float]:
    return [bound for keyword in keywords if (bound := _bound(schema, keyword)) is not None]


def _bound(schema: JsonObject, keyword: str) -> int | float | None:
    """A draft-04 schema has true or false there."""
    value = schema.get(keyword)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _numbers(value: Any) -> Iterator[int | float]:
    unread = [value]
    while unread:
        item = unread.pop()
        if isinstance(item, int | float) and not isinstance(item, bool):
            yield item
        elif isinstance(item, dict | list):
            unread += item.values() if isinstance(item, dict) else item


def _is_exact(number: int | float) -> bool:
    """Whether it is written as it was asked for: an integer as the shortest decimal of the nearest double. Where a double is as large
    as no integer of 64 bits, it may have been a longer one in the request."""
    if isinstance(number, float):
        return abs(number) <= _LIMIT
    try:
        return Decimal(repr(float(number))) == number
    except OverflowError:
        return False
