"""Owns guesses of how an answer goes on, copied from a text that it may repeat. Must not know models, batches or slots.

A guess costs no thought: the answer's last tokens are looked up in an index of the text, which a token takes one entry to extend.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Protocol

_PROMPT_GRAM = 3
"""So many tokens must have stood in the same order before what followed them is guessed again."""
_PREDICTION_GRAM = 2


class Drafter(Protocol):
    """Guesses the next tokens of one answer."""

    def draft(self, tokens: Sequence[int], at_most: int) -> Sequence[int]:
        """What may follow `tokens`: prompt and answer so far, which only ever grow. Nothing where there is no idea."""


class PromptLookup:
    """Guesses that what follows the last tokens is what followed them before, in the prompt or the answer itself."""

    def __init__(self) -> None:
        self._after: dict[tuple[int, ...], int] = {}
        self._read = 0
        self._next: int | None = None

    def read(self, tokens: Sequence[int]) -> None:
        """Take in the tokens that are new since last time."""
        for end in range(self._read + 1, len(tokens) + 1):
            self._take_in(tokens, end)
        self._read = len(tokens)

    def draft(self, tokens: Sequence[int], at_most: int) -> Sequence[int]:
        """See Drafter."""
        self.read(tokens)
        return [] if self._next is None else tokens[self._next : self._next + at_most]

    def _take_in(self, tokens: Sequence[int], end: int) -> None:
        """Where the guess was right it goes on where it is; else the latest place with the same tokens before it."""
        gram = tuple(tokens[max(0, end - _PROMPT_GRAM) : end])
        if self._next is not None and tokens[self._next] == tokens[end - 1]:
            self._next += 1
        else:
            self._next = self._after.get(gram)
        if len(gram) == _PROMPT_GRAM:
            self._after[gram] = end


class Prediction:
    """Guesses that the answer is a given text with changes: where they part, it looks for the place where they meet again."""

    def __init__(self, predicted: Sequence[int], prompt_length: int) -> None:
        """`predicted`: the text's tokens; the answer begins behind `prompt_length` tokens."""
        self._predicted = predicted
        self._places: dict[tuple[int, ...], list[int]] = {}
        for end in range(_PREDICTION_GRAM, len(predicted) + 1):
            self._places.setdefault(tuple(predicted[end - _PREDICTION_GRAM : end]), []).append(end)
        self._start = prompt_length
        self._read = prompt_length
        self._next = 0

    def draft(self, tokens: Sequence[int], at_most: int) -> Sequence[int]:
        """See Drafter."""
        for end in range(self._read + 1, len(tokens) + 1):
            self._follow(tokens, end)
        self._read = len(tokens)
        return self._predicted[self._next : self._next + at_most]

    def _follow(self, tokens: Sequence[int], end: int) -> None:
        """Step over the answer's next token. One that was not predicted is taken for a replacement, until both agree elsewhere."""
        if self._next < len(self._predicted) and self._predicted[self._next] == tokens[end - 1]:
            self._next += 1
            return
        places = self._places.get(tuple(tokens[max(self._start, end - _PREDICTION_GRAM) : end]))
        if places:
            self._next = places[min(bisect_left(places, self._next), len(places) - 1)]
        else:
            self._next = min(self._next + 1, len(self._predicted))
