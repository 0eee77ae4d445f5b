"""Owns what a request adds to the logits of single tokens: its bias, and penalties for what was said.

Must not know how tokens are drawn.
"""

import math

import numpy as np

from engine.llama.candidates import Candidates, Logits, SamplerChain

BANNED = -100.0
"""The bias from which on a token is never drawn."""


class LogitEdits:
    """Edits of a row that touch only the tokens with a bias and those already seen: nothing else changes, so nothing else is looked at."""

    def __init__(self, bias: dict[int, float], penalties: SamplerChain | None) -> None:
        """A bias of BANNED or less rules a token out. `penalties` see only the tokens with a bias and those seen; they must remove none."""
        self._penalties = penalties
        self._candidates = Candidates()
        values = [-math.inf if value <= BANNED else value for value in bias.values()]
        self._bias = np.array(values, dtype=np.float32)
        self._tokens = np.array(list(bias), dtype=np.intp)
        self._count = len(bias)
        self._known = set(bias)

    def accept(self, token: int) -> None:
        """Let the penalties see a token."""
        if self._penalties is None:
            return
        self._penalties.accept(token)
        if token in self._known:
            return
        self._known.add(token)
        if self._count == len(self._tokens):
            self._tokens = np.resize(self._tokens, 2 * self._count + 64)
        self._tokens[self._count] = token
        self._count += 1

    def apply(self, logits: Logits) -> Logits:
        """Edit the row; returns what `undo` needs."""
        tokens = self._tokens[: self._count]
        original = logits[tokens]
        edited = original.copy()
        edited[: len(self._bias)] += self._bias
        if self._penalties is not None:
            self._candidates.fill(tokens, edited)
            self._penalties.apply(self._candidates)
            edited = self._candidates.logits
        logits[tokens] = edited
        return original

    def undo(self, logits: Logits, original: Logits) -> None:
        """Give the row back as it was: log probabilities are the model's own, and other answers may be drawn from the same row."""
        logits[self._tokens[: self._count]] = original
