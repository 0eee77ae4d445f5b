"""Owns one sequence's guesses and their record. Must not know whether a guess was ever computed: it is judged by what was drawn."""

from collections.abc import Sequence

from engine.worker.drafts import Drafter
from engine.worker.prefixes import common_prefix_length

_FADE = 0.85
"""What a judgement weighs after the next: an answer may take its own way for a while, and then copy again."""
_MOST_RIGHT_SHARE = 0.98
_HOPE_WEIGHT = 2.0
_FORGIVENESS = 0.01


class Record:
    """How often one source's guesses were right, of late."""

    def __init__(self, *, hoped_share: float) -> None:
        """`hoped_share`: how likely a guess is right before any was judged."""
        self._hoped_share = hoped_share
        self._judged = _HOPE_WEIGHT
        self._right = _HOPE_WEIGHT * hoped_share
        self._last: Sequence[int] = ()

    @property
    def right_share(self) -> float:
        """How likely a guessed token is right where all before it are."""
        return min(self._right / self._judged, _MOST_RIGHT_SHARE)

    def expect(self, guess: Sequence[int]) -> Sequence[int]:
        """The same guess, which will be judged."""
        self._last = guess
        return guess

    def judge(self, drawn: Sequence[int]) -> None:
        """What was drawn since. Where nothing was guessed the hope comes back, slowly: there may be another try."""
        compared = min(len(self._last), len(drawn))
        if compared:
            right = common_prefix_length(self._last, drawn, at_most=compared)
            self._right = self._right * _FADE + right
            self._judged = self._judged * _FADE + min(right + 1, compared)
        else:
            self._right += (self._judged * self._hoped_share - self._right) * _FORGIVENESS
        self._last = ()


class Guesser:
    """A drafter with its record."""

    def __init__(self, drafter: Drafter, *, hoped_share: float) -> None:
        self._drafter = drafter
        self.record = Record(hoped_share=hoped_share)

    def guess(self, tokens: Sequence[int], at_most: int) -> Sequence[int]:
        """What may follow `tokens`."""
        return self.record.expect(self._drafter.draft(tokens, at_most))
