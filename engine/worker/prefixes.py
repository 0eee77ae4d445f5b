"""Owns what a prefix is: how much two sequences have in common, and what of a sequence's state can be had. Must not know who holds it."""

from collections.abc import Sequence

import msgspec


class MemoryKind(msgspec.Struct, frozen=True, kw_only=True):
    """What a model's memory lets be done with a sequence's state.

    `is_divisible`: a prefix of it can be had; False where (a part of) it is a running summary of all tokens. `window_tokens`: how
    far back some layers look, whose older state may be overwritten; 0: all layers look back to the beginning.
    """

    is_divisible: bool = True
    window_tokens: int = 0


PLAIN_MEMORY = MemoryKind()


def common_prefix_length(a: Sequence[int], b: Sequence[int], *, at_most: int | None = None) -> int:
    """How many leading elements are equal. Halves the range with slice comparisons, which run in C."""
    high = min(len(a), len(b)) if at_most is None else min(len(a), len(b), at_most)
    low = 0
    if a[:high] == b[:high]:
        return max(high, 0)
    while high - low > 1:
        middle = (low + high) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle
    return low
