"""Owns guesses of how an answer goes on, copied from a text that it may repeat. Must not know models, batches or slots.

A guess costs next to nothing: the answer's last tokens are looked up in an index of the text.
"""

from collections.abc import Sequence
from itertools import cycle, islice, takewhile
from typing import Literal, Protocol

import numpy as np

_TOKEN_BITS = 21
"""No vocabulary has two million tokens; three of them fit a signed 64-bit number."""
_NO_TOKEN = (1 << _TOKEN_BITS) - 1
"""What a picture's or a sound's positions count as, which have negative numbers: nothing that is drawn is like it."""
_LOOKUP_GRAM = 3
"""So many tokens must have stood in the same order before what followed them is guessed again."""
_PREDICTION_GRAM = 2
_SIDES: tuple[Literal["left", "right"], ...] = ("left", "right")


class Drafter(Protocol):
    """Guesses the next tokens of one answer."""

    def draft(self, tokens: Sequence[int], at_most: int) -> Sequence[int]:
        """What may follow `tokens`: prompt and answer so far, which only ever grow. Nothing where there is no idea, and never
        what stands for a picture."""


class GramIndex:
    """Where each run of `size` tokens, at most three, stands in a text. Small, quickly made, and never changed: answers share it."""

    def __init__(self, tokens: Sequence[int], size: int) -> None:
        ids = np.array(tokens, dtype=np.int64)
        ids[ids < 0] = _NO_TOKEN
        keys = np.zeros(max(0, len(ids) - size + 1), dtype=np.int64)
        for place in range(size):
            keys = keys << _TOKEN_BITS | ids[place : place + len(keys)]
        order = np.argsort(keys, kind="stable")
        self._keys = keys[order]
        self._ends = (order + size).astype(np.int32)

    def last_end(self, key: int) -> int | None:
        """The position behind the last place of a run; None where it does not occur."""
        behind = int(np.searchsorted(self._keys, key, side="right"))
        return int(self._ends[behind - 1]) if behind and self._keys[behind - 1] == key else None

    def next_end(self, key: int, start: int) -> int | None:
        """The position behind the first place of a run that ends at `start` or later, else behind its last."""
        first, behind = (int(np.searchsorted(self._keys, key, side=side)) for side in _SIDES)
        place = first + int(np.searchsorted(self._ends[first:behind], start))
        return int(self._ends[min(place, behind - 1)]) if first < behind else None


class PromptLookup:
    """Guesses that what follows the last tokens is what followed them before, in the prompt or in the answer itself."""

    @staticmethod
    def index(prompt: Sequence[int]) -> GramIndex:
        """The index of a prompt, of all but its end, which is where the first guess starts from."""
        return GramIndex(prompt[:-1], _LOOKUP_GRAM)

    def __init__(self, prompt: Sequence[int], index: GramIndex) -> None:
        self._prompt_index = index
        self._answer_ends: dict[int, int] = {}
        self._read = len(prompt) - 1
        self._next: int | None = None

    def draft(self, tokens: Sequence[int], at_most: int) -> Sequence[int]:
        """See Drafter. What repeats itself up to the last token is guessed to repeat itself on."""
        for end in range(self._read + 1, len(tokens) + 1):
            self._take_in(tokens, end)
        self._read = len(tokens)
        found = [] if self._next is None else tokens[self._next : self._next + at_most]
        return list(takewhile(_is_text, islice(cycle(found), at_most)))

    def _take_in(self, tokens: Sequence[int], end: int) -> None:
        """A guess that was right goes on where it is; else the last place counts where the same tokens stand."""
        key = _key(tokens[max(0, end - _LOOKUP_GRAM) : end])
        if self._next is not None and tokens[self._next] == tokens[end - 1]:
            self._next += 1
        else:
            self._next = self._last_end(key)
        self._answer_ends[key] = end

    def _last_end(self, key: int) -> int | None:
        own = self._answer_ends.get(key)
        return self._prompt_index.last_end(key) if own is None else own


class Prediction:
    """Guesses that the answer is a given text with changes: where they part, it looks for the place where they meet again."""

    @staticmethod
    def index(predicted: Sequence[int]) -> GramIndex:
        """The index of a predicted text."""
        return GramIndex(predicted, _PREDICTION_GRAM)

    def __init__(self, predicted: Sequence[int], index: GramIndex, *, prompt_length: int) -> None:
        """The answer begins behind `prompt_length` tokens."""
        self._predicted = predicted
        self._index = index
        self._start = prompt_length
        self._read = prompt_length
        self._next = 0
        self._parted = 0

    def draft(self, tokens: Sequence[int], at_most: int) -> Sequence[int]:
        """See Drafter."""
        for end in range(self._read + 1, len(tokens) + 1):
            self._follow(tokens, end)
        self._read = len(tokens)
        return self._predicted[self._next : self._next + at_most]

    def _follow(self, tokens: Sequence[int], end: int) -> None:
        """Step over the answer's next token. One that was not predicted is taken for a replacement, until both agree elsewhere."""
        if self._predicted[self._next : self._next + 1] == tokens[end - 1 : end]:
            self._next += 1
            self._parted = self._next
            return
        met = self._index.next_end(_key(tokens[max(self._start, end - _PREDICTION_GRAM) : end]), self._parted + 1)
        if met is None:
            self._next = min(self._next + 1, len(self._predicted))
        else:
            self._next = self._parted = met


def _is_text(token: int) -> bool:
    return token >= 0


def _key(tokens: Sequence[int]) -> int:
    key = 0
    for token in tokens:
        key = key << _TOKEN_BITS | (token if token >= 0 else _NO_TOKEN)
    return key
