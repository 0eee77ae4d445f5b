"""Owns the arithmetic of log probabilities over a row of logits. Must not know sequences or events' order."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engine.events import Alternative, TokenLogprob
from engine.llama.narrowing import holding_top_k


class RowLogprobs:
    """The model's own distribution at one position, before temperature, penalties or constraints change anything."""

    def __init__(self, logits: NDArray[np.float32], top: int = 0) -> None:
        """Reads the row, and the `top` most likely tokens, at once.

        The row is not copied: `of` reads it again, so that a constraint may rule tokens out in between, but not change the others.
        """
        self._logits = logits
        highest = logits.max()
        weights = logits - highest
        self._log_total = float(highest) + float(np.log(np.exp(weights, out=weights).sum()))
        self._best = self._most_likely(top) if top > 0 else []

    def _most_likely(self, top: int) -> list[tuple[int, float]]:
        candidates = holding_top_k(top)(self._logits)
        best = candidates[np.argsort(-self._logits[candidates], kind="stable")[:top]]
        return [(token, self.of(token)) for token in best.tolist()]

    def of(self, token: int) -> float:
        """Natural-log probability of a token."""
        return float(self._logits[token]) - self._log_total

    def report(self, token: int, piece: Callable[[int], bytes]) -> TokenLogprob:
        """The token with the most likely ones."""
        top = tuple(Alternative(token_id=t, bytes=piece(t), logprob=logprob) for t, logprob in self._best)
        return TokenLogprob(token_id=token, bytes=piece(token), logprob=self.of(token), top=top)
