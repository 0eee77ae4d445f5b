"""Owns the choice of the fewest tokens that have a given probability together, the likeliest or the most typical first.

These narrowings are exact and take the place of the sampler: a chain would take probabilities relative to a superset. Must not know
llama.cpp.
"""

import numpy as np

from engine.llama.candidates import Logits, Tokens
from engine.llama.narrowing import bound_of_top, possible

_LOOKS = (256, 4096)
"""Numbers of tokens that are enough for nearly every row of a trained model, and for all but the flattest."""


class Nucleus:
    """Finds the fewest most likely tokens that have probability `p` together, but at least `keep`: top_p's choice.

    The logits are divided by `temperature` before.
    """

    def __init__(self, p: float, *, temperature: float = 1.0, keep: int = 0) -> None:
        self._p = p
        self._sharpness = 1 / temperature
        self._keep = keep
        # Kept from row to row: the first touch of new memory costs more than what is computed in it.
        self._weights = np.empty(0, dtype=np.float32)

    def __call__(self, logits: Logits) -> Tokens:
        """The nucleus of the row."""
        top = logits.max()
        if not np.isfinite(top):
            return possible(logits)
        if len(self._weights) != len(logits):
            self._weights = np.empty_like(logits)
        weights = np.subtract(logits, top, out=self._weights)
        if self._sharpness != 1:
            with np.errstate(over="ignore"):
                weights *= self._sharpness
        np.exp(weights, out=weights)
        wanted = np.nextafter(
            self._p * float(weights.sum()), 0
        )  # top_p stops where the sum is reached, not only exceeded
        return _fewest(weights, weights, wanted, self._keep)


class LocallyTypical:
    """Finds the fewest tokens that have more than probability `p` together, but at least `keep`: typ_p's choice.

    Those first whose surprise is nearest to that which is expected. The logits are divided by `temperature` before.
    """

    def __init__(self, p: float, *, temperature: float = 1.0, keep: int = 0) -> None:
        self._p = p
        self._sharpness = 1 / temperature
        self._keep = keep

    def __call__(self, logits: Logits) -> Tokens:
        """The locally typical tokens of the row."""
        tokens = possible(logits)
        if not len(tokens):
            return tokens
        with np.errstate(over="ignore"):
            exponents = (logits[tokens] - logits.max()) * self._sharpness
        weights = np.exp(exponents)
        certain = weights > 0
        tokens, exponents, weights = tokens[certain], exponents[certain], weights[certain]
        total = float(weights.sum())
        # The surprise of a token is log(total) - exponent, and the entropy is its mean; their difference has no need of the logarithm.
        distance = np.abs(exponents - float((weights * exponents).sum()) / total)
        chosen: Tokens = tokens[_fewest(-distance, weights, self._p * total, self._keep)]
        return chosen


def _fewest(merits: Logits, weights: Logits, wanted: float, keep: int) -> Tokens:
    """Of the tokens of most merit as few as together weigh more than `wanted`, but at least `keep`."""
    for look in _LOOKS:
        best = _best(merits, weights, look)
        count = max(keep, _reaching(weights[best], wanted))
        if count < len(best):
            return best[:count]
    best = _best(merits, weights, len(merits))
    return best[: max(keep, _reaching(weights[best], wanted))]


def _best(merits: Logits, weights: Logits, count: int) -> Tokens:
    """At least `count` tokens of most merit (those that are possible), the best first."""
    likely = np.flatnonzero((merits >= bound_of_top(merits, count)) & (weights > 0))
    ranked: Tokens = likely[merits[likely].argsort()[::-1]]
    return ranked


def _reaching(weights: Logits, wanted: float) -> int:
    """How many of the weights, from the first on, have a sum above `wanted`; one more than there are if all have not."""
    return 1 + int(np.cumsum(weights, dtype=np.float64).searchsorted(wanted, side="right"))
