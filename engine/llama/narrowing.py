"""Owns the choice of those tokens of a row that a chain of samplers need look at: few, where its first step removes most.

A vocabulary has 100,000 tokens and more, and llama.cpp's samplers handle them one by one. Each function here finds, with a few passes of
vector instructions, a small set that surely contains every token that the chain's first step would keep. Must not know llama.cpp.
"""

import math
from collections.abc import Callable

import numpy as np

from engine.llama.candidates import Logits, Tokens

Narrowing = Callable[[Logits], Tokens]

_STRIPS = 128
"""Parts of a row that are compared with each other: one pass of maxima over them takes the time of reading the row."""


def possible(logits: Logits) -> Tokens:
    """Every token that is not ruled out."""
    return np.flatnonzero(logits > -np.inf)


def holding_top_k(k: int) -> Narrowing:
    """Finds a superset of the `k` most likely tokens."""

    def narrow(logits: Logits) -> Tokens:
        return _at_least(logits, bound_of_top(logits, k))

    return narrow


def holding_min_p(p: float, *, temperature: float = 1.0, keep: int = 0) -> Narrowing:
    """Finds a superset of the tokens at least `p` times as likely as the likeliest, and of the `keep` most likely ones.

    The logits are divided by `temperature` before the comparison.
    """
    span = temperature * math.log(p)

    def narrow(logits: Logits) -> Tokens:
        top = logits.max()
        if not np.isfinite(top):
            return possible(logits)
        bound = top + span - 4 * np.spacing(max(abs(top), abs(top + span)))  # llama.cpp rounds its bound differently
        if keep > 1:
            bound = min(bound, bound_of_top(logits, keep))
        return _at_least(logits, bound)

    return narrow


def within_sigmas(sigmas: float) -> Narrowing:
    """Finds the tokens whose logits are at most so many standard deviations of all possible logits below the highest."""

    def narrow(logits: Logits) -> Tokens:
        finite = logits if logits.min() > -np.inf else logits[logits > -np.inf]
        if not len(finite):
            return possible(logits)
        deviations = finite - finite.mean()
        spread = math.sqrt(float((deviations * deviations).mean()))
        return _at_least(logits, finite.max() - np.float32(sigmas * spread))

    return narrow


def _at_least(values: Logits, bound: np.floating | float) -> Tokens:
    return np.flatnonzero(values >= bound) if bound > -np.inf else possible(values)


def bound_of_top(values: Logits, count: int) -> np.floating | float:
    """A lower bound of the `count` largest values: of the maxima of disjoint parts, the largest `count` are some of the values."""
    strips = min(_STRIPS, len(values) // (2 * count))
    if strips < 2:
        return -math.inf
    width = len(values) // strips
    # Parts that lie across the strips: maxima of whole strips at a time are what vector instructions are good at.
    maxima = values[: strips * width].reshape(strips, width).max(axis=0)
    bound: np.floating = np.partition(maxima, width - count)[width - count]
    return bound
