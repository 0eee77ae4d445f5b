"""Owns the draw from a row's whole distribution at a temperature, by rejection. Must not know llama.cpp.

Taking the exponential of every logit costs more than all the rest of drawing a token. So a part of the row is proposed in proportion to
what it would weigh if all its tokens were as likely as its likeliest, then one of its tokens, which is taken with the probability that it
has relative to that likeliest one. A token taken so has exactly the probability that softmax gives it.
"""

import numpy as np

from engine.llama.candidates import Logits, NoCandidates

_MOST_STRIPS = 64
"""Tokens of one part. At least one of so many proposals is taken on average, whatever the row."""
_PROPOSALS = 64
_BELOW_ONE = 1 - 2**-52


class PlainDraw:
    """Draws tokens with the probabilities that softmax gives them at `temperature`, from random numbers of its own."""

    def __init__(self, temperature: float, seed: int) -> None:
        self._sharpness = 1 / temperature
        self._random = np.random.default_rng(seed)

    def __call__(self, logits: Logits) -> int:
        """One token; NoCandidates if none is possible."""
        strips = next(n for n in range(_MOST_STRIPS, 0, -1) if len(logits) % n == 0)
        maxima = logits.reshape(strips, -1).max(axis=0)
        top = maxima.max()
        if not np.isfinite(top):
            raise NoCandidates(f"no token can be drawn from a row whose highest logit is {top}")
        with np.errstate(over="ignore"):
            return self._draw(logits, strips, maxima, np.exp((maxima - top) * self._sharpness))

    def _draw(self, logits: Logits, strips: int, maxima: Logits, weights: Logits) -> int:
        sums = np.cumsum(weights, dtype=np.float64)
        total = sums[-1] * _BELOW_ONE  # so that rounding never proposes a part behind the last possible one
        while True:
            for_part, for_strip, for_taking = self._random.random((3, _PROPOSALS))
            parts = sums.searchsorted(for_part * total, side="right")
            tokens = (for_strip * strips).astype(np.intp) * len(maxima) + parts
            taken = for_taking < np.exp((logits[tokens] - maxima[parts]) * self._sharpness)
            first = taken.argmax()
            if taken[first]:
                return int(tokens[first])
