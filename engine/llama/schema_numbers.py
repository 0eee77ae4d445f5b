"""Owns which numbers of a JSON Schema llguidance takes for others: it computes bounds with 64 bits and writes constants as doubles.

Must not know where in a schema a number stands.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

JsonObject = dict[str, Any]

_LOWER, _UPPER = ("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")
BOUNDS = frozenset((*_LOWER, *_UPPER))
_LIMIT = (1 << 63) - 1


def confused_numbers(schema: JsonObject) -> Iterator[tuple[str, str]]:
    """Each keyword of this schema, not of those within it, whose number would be another, and why."""
    for keyword in ("const", "enum"):
        if keyword in schema and not all(map(_is_exact, _numbers(schema[keyword]))):
            yield keyword, "it has an integer that no double is equal to"
    for keyword in (*_LOWER, *_UPPER):
        bound = _bound(schema, keyword)
        if bound is not None and not _is_kept(bound, is_upper=keyword in _UPPER):
            yield keyword, "it is beyond what integers are told apart"
    reopened = _reopened(schema)
    if reopened is not None:
        yield reopened, "less than one from the other bound, it would not be excluded"


def _is_kept(bound: int | float, *, is_upper: bool) -> bool:
    """Integers end at 64 bits, so that what is allowed beyond is not written, but what has to be beyond would be."""
    at = bound if is_upper else -bound
    if at < -_LIMIT:
        return False
    return (is_upper and at >= _LIMIT) or not isinstance(bound, int) or _is_exact(bound)


def _reopened(schema: JsonObject) -> str | None:
    """The exclusive bound that is allowed nevertheless: an integer, with the other bound less than one from it, away from 0."""
    lower, upper = (_bounds(schema, keywords) for keywords in (_LOWER, _UPPER))
    if not lower or not upper or schema.get("type") == "integer":
        return None
    low, high = max(lower), min(upper)
    is_narrow = 0 < high - low < 1
    if is_narrow and low == schema.get("exclusiveMinimum") and low >= 0 and low % 1 == 0:
        return "exclusiveMinimum"
    if is_narrow and high == schema.get("exclusiveMaximum") and high <= 0 and high % 1 == 0:
        return "exclusiveMaximum"
    return None


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
