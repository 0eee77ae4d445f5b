"""Owns what an absent or null field means: its documented default. Must not know any field."""

from typing import TypeVar

T = TypeVar("T")


def or_default(value: T | None, default: T) -> T:
    """`value`, or `default` where the caller left the field out or sent null, which mean the same in both dialects."""
    return default if value is None else value
