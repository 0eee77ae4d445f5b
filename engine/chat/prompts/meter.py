"""What one rendering may cost: processor time, the size of a value, the amount of text and structure made in all.

Templates come with model files and are untrusted. Nothing here interrupts anything: whatever a template does passes by a meter first, so
the bounds hold in any thread and end a rendering at a well-defined place. Must not know Jinja.
"""

import time
from typing import Any

VALUE_LIMIT = 8 << 20
_TOTAL_LIMIT = 512 << 20
_CREDIT = 4096
_ELEMENT_WEIGHT = 8
_CHARACTERS_PER_STEP = 256


class OutOfBounds(Exception):
    """The template asks for more than a prompt can need."""


class Meter:
    """Counts what one rendering uses up. Time is the thread's own processor time: a busy machine makes no template fail."""

    def __init__(self, limit_seconds: float) -> None:
        self._limit_seconds = limit_seconds
        self._deadline = time.thread_time() + limit_seconds
        self._remaining = _TOTAL_LIMIT
        self._credit = _CREDIT

    def spend(self, weight: int = 0) -> None:
        """Takes one step that makes `weight` characters or elements. The clock is read every few thousand steps' worth of work."""
        self._remaining -= weight
        self._credit -= 1 + weight // _CHARACTERS_PER_STEP
        if self._remaining < 0:
            raise OutOfBounds(f"it makes more than {_TOTAL_LIMIT:,} characters on the way")
        if self._credit < 0:
            self._credit = _CREDIT
            if time.thread_time() > self._deadline:
                raise OutOfBounds(f"it takes more than {self._limit_seconds:g} s")


def check_size(weight: int) -> int:
    """`weight`, unless it is more than one value may have."""
    if weight > VALUE_LIMIT:
        raise OutOfBounds(f"it makes a value of more than {VALUE_LIMIT:,} characters, or as much structure")
    return weight


def weigh(value: Any, *, only: tuple[type, ...] = (object,)) -> int:
    """The characters of a value, and 8 for each element, counted as often as they would be written out: a list that holds another
    twice weighs double. Raises OutOfBounds as soon as that is more than a value may have, TypeError if a part is none of `only`."""
    if isinstance(value, str):
        return check_size(len(value))
    weight, unread = 1, [value]
    while unread:
        item = unread.pop()
        if isinstance(item, str):
            weight += len(item)
        elif isinstance(item, dict):
            weight += 2 * len(item) * _ELEMENT_WEIGHT
            unread += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple):
            weight += len(item) * _ELEMENT_WEIGHT
            unread += item
        elif not isinstance(item, only):
            raise TypeError(f"a {type(item).__name__} is no text")
        check_size(weight)
    return weight
