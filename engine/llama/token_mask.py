"""Owns a set of tokens as one bit each, and applies it to a row of logits. Must not know what decides on the bits."""

import numpy as np
from numpy.typing import NDArray

_FORBIDDEN = np.float32(-np.inf)
_FULL_WORD = np.uint32(0xFFFFFFFF)
_FEW_WORDS = 64
"""Where no more words of the mask have a set bit, or no more a clear one, its tokens are looked at one by one."""

_BYTE_BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
_BYTE_TERMS = np.where(_BYTE_BITS == 1, np.float32(0), _FORBIDDEN)
"""For each value of a byte of the mask what to add to the logits of its eight tokens."""


class TokenMask:
    """Room for one bit for each token of a vocabulary; a set bit allows its token. For one thread."""

    def __init__(self, vocabulary_size: int) -> None:
        words = (vocabulary_size + 31) // 32
        self._words = np.zeros(words, dtype=np.uint32)
        self._bytes = self._words.view(np.uint8)
        self._terms = np.empty((0, 8), dtype=np.float32)
        self.address: int = self._words.ctypes.data
        self.size_bytes: int = self._words.nbytes

    def apply(self, logits: NDArray[np.float32]) -> None:
        """Set the logits of the tokens without a bit to minus infinity."""
        allowing = np.flatnonzero(self._words)
        if len(allowing) <= _FEW_WORDS:
            self._keep(self._tokens(allowing, self._words[allowing]), logits)
            return
        forbidding = np.flatnonzero(self._words != _FULL_WORD)
        if len(forbidding) <= _FEW_WORDS:
            tokens = self._tokens(forbidding, ~self._words[forbidding])
            logits[tokens[tokens < len(logits)]] = _FORBIDDEN
        else:
            self._add_terms(logits)

    @staticmethod
    def _tokens(positions: NDArray[np.intp], words: NDArray[np.uint32]) -> NDArray[np.intp]:
        """The tokens whose bits are set in `words`, which stand at these positions of a mask."""
        bits = np.unpackbits(words.view(np.uint8), bitorder="little").reshape(-1, 32)
        word, bit = np.nonzero(bits)
        return positions[word] * 32 + bit

    @staticmethod
    def _keep(tokens: NDArray[np.intp], logits: NDArray[np.float32]) -> None:
        kept = logits[tokens]
        logits.fill(_FORBIDDEN)
        logits[tokens] = kept

    def _add_terms(self, logits: NDArray[np.float32]) -> None:
        """Adding has no branches: where allowed and forbidden tokens alternate, choosing takes several times as long."""
        if not len(self._terms):
            self._terms = np.empty((len(self._bytes), 8), dtype=np.float32)
        np.take(_BYTE_TERMS, self._bytes, axis=0, out=self._terms, mode="clip")
        logits += self._terms.reshape(-1)[: len(logits)]
