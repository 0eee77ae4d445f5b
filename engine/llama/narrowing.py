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
_LOOKS = (256, 4096)
"""Numbers of likely tokens that hold the nucleus of nearly every row of a trained model, and of all but the flattest."""
_LEAST_WEIGHT = np.finfo(np.float32).smallest_subnormal


def possible(logits: Logits) -> Tokens:
    """Every token that is not ruled out."""
    return np.flatnonzero(logits > -np.inf)


def holding_top_k(k: int) -> Narrowing:
    """Finds a superset of the `k` most likely tokens."""

    def narrow(logits: Logits) -> Tokens:
        return _at_least(logits, _bound_of_top(logits, k))

    return narrow


def holding_min_p(p: float, *, temperature: float = 1.0, keep: int = 0) -> Narrowing:
    """Finds a superset of the tokens at least `p` times as likely as the likeliest, and of the `keep` most likely ones.

    `temperature` is what the logits are divided by before the comparison.
    """
    span = temperature * math.log(p)

    def narrow(logits: Logits) -> Tokens:
        top = logits.max()
        if not np.isfinite(top):
            return possible(logits)
        bound = top + span - 4 * np.spacing(max(abs(top), abs(top + span)))  # llama.cpp rounds its bound differently
        if keep > 1:
            bound = min(bound, _bound_of_top(logits, keep))
        return _at_least(logits, bound)

    return narrow


class Nucleus:
    """Finds the fewest most likely tokens that have probability `p` together, but at least `keep`: exactly top_p's choice.

    Not a superset, since a chain would take the probabilities relative to the superset. `temperature` as above.
    """

    def __init__(self, p: float, *, temperature: float = 1.0, keep: int = 0) -> None:
        self._p = p
        self._sharpness = 1 / temperature
        self._keep = keep
        self._weights = np.empty(
            0, dtype=np.float32
        )  # kept: a new array's first touch costs more than what is computed in it

    def __call__(self, logits: Logits) -> Tokens:
        """The nucleus of the row."""
        top = logits.max()
        if not np.isfinite(top):
            return possible(logits)
        weights = self._weigh(logits, top)
        wanted = self._p * float(weights.sum())
        for look in _LOOKS:
            likely = np.flatnonzero(weights >= max(_bound_of_top(weights, look), _LEAST_WEIGHT))
            count = self._fewest(weights[likely], wanted)
            if count < len(likely):
                return _top(likely, weights[likely], count)
        likely = np.flatnonzero(weights)
        count = min(len(likely), self._fewest(weights[likely], wanted))
        return _top(likely, weights[likely], count)

    def _weigh(self, logits: Logits, top: np.floating) -> Logits:
        """What the probabilities are in proportion to."""
        if len(self._weights) != len(logits):
            self._weights = np.empty_like(logits)
        weights = np.subtract(logits, top, out=self._weights)
        if self._sharpness != 1:
            with np.errstate(over="ignore"):
                weights *= self._sharpness
        return np.exp(weights, out=weights)

    def _fewest(self, weights: Logits, wanted: float) -> int:
        """How many of the largest weights have the sum `wanted`: more than there are if all have not."""
        sums = np.cumsum(np.sort(weights)[::-1], dtype=np.float64)
        return max(self._keep, 1 + int(sums.searchsorted(wanted)))


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


def _top(tokens: Tokens, weights: Logits, count: int) -> Tokens:
    """The `count` tokens with the largest weights; of equal ones the first."""
    smallest = np.partition(weights, len(weights) - count)[len(weights) - count]
    above = tokens[weights > smallest]
    return np.concatenate((above, tokens[weights == smallest][: count - len(above)]))


def _at_least(values: Logits, bound: np.floating | float) -> Tokens:
    return np.flatnonzero(values >= bound) if bound > -np.inf else possible(values)


def _bound_of_top(values: Logits, count: int) -> np.floating | float:
    """A lower bound of the `count` largest values: of the maxima of disjoint parts, the largest `count` are some of the values."""
    strips = min(_STRIPS, len(values) // (2 * count))
    if strips < 2:
        return -math.inf
    width = len(values) // strips
    # Parts that lie across the strips: maxima of whole strips at a time are what vector instructions are good at.
    maxima = values[: strips * width].reshape(strips, width).max(axis=0)
    bound: np.floating = np.partition(maxima, width - count)[width - count]
    return bound
