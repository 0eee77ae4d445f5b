"""Owns the arithmetic of log probabilities over a row of logits. Must not know sequences or events' order."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engine.events import Alternative, TokenLogprob


class RowLogprobs:
    """The model's own distribution at one position, before temperature, penalties or constraints change anything."""

    def __init__(self, logits: NDArray[np.float32]) -> None:
        """Copies the row: sampling changes it."""
        self._logits = logits.astype(np.float32, copy=True)
        top = float(self._logits.max())
        self._log_total = top + float(np.log(np.exp(self._logits - top).sum(dtype=np.float64)))

    def of(self, token: int) -> float:
        """Natural-log probability of a token."""
        return float(self._logits[token]) - self._log_total

    def report(self, token: int, top: int, piece: Callable[[int], bytes]) -> TokenLogprob:
        """The token with the `top` most likely ones."""
        return TokenLogprob(
            token_id=token, bytes=piece(token), logprob=self.of(token), top=tuple(self._alternatives(top, piece))
        )

    def _alternatives(self, top: int, piece: Callable[[int], bytes]) -> list[Alternative]:
        if top <= 0:
            return []
        count = min(top, len(self._logits))
        candidates = np.argpartition(self._logits, -count)[-count:]
        best = candidates[np.argsort(-self._logits[candidates], kind="stable")]
        return [Alternative(token_id=t, bytes=piece(t), logprob=self.of(t)) for t in best.tolist()]
