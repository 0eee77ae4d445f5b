"""The four forms in which OpenAI takes texts: one or several, as strings or as token ids. Must not know what they are for."""

from typing import cast

Inputs = str | list[str] | list[int] | list[list[int]]


def each_input(given: Inputs) -> tuple[str | tuple[int, ...], ...]:
    """The inputs one by one. A flat array of token ids is one input."""
    if isinstance(given, str):
        return (given,)
    if given and isinstance(given[0], int):
        return (tuple(given),)
    several = cast("list[str] | list[list[int]]", given)
    return tuple(each if isinstance(each, str) else tuple(each) for each in several)
