"""Owns one sequence's guesses and their record. Must not know whether a guess was ever computed: it is judged by what was drawn."""

from collections.abc import Sequence

from engine.worker.drafts import Drafter
from engine.worker.prefixes import common_prefix_length

_FADE = 0.85
"""What a judgement weighs after the next: an answer may take its own way for a while, and then copy again."""
_MOST_RIGHT_SHARE = 0.98


class Guesser:
    """A drafter with its record. `right_share`: how likely its next token is right, judged by its last ones."""

    def __init__(self, drafter: Drafter, *, hoped_share: float) -> None:
        """`hoped_share`: how likely a guess is right before any was judged."""
        self._drafter = drafter
        self._judged = 2.0
        self._right = 2.0 * hoped_share
        self._last: Sequence[int] = ()

    @property
    def right_share(self) -> float:
        """How likely a guessed token is right where all before it are."""
        return min(self._right / self._judged, _MOST_RIGHT_SHARE)

    def guess(self, tokens: Sequence[int], at_most: int) -> Sequence[int]:
        """What may follow `tokens`."""
        self._last = self._drafter.draft(tokens, at_most)
        return self._last

    def judge(self, drawn: Sequence[int]) -> None:
        """What was drawn since the guess was made."""
        compared = min(len(self._last), len(drawn))
        if compared:
            right = common_prefix_length(self._last, drawn, at_most=compared)
            self._right = self._right * _FADE + right
            self._judged = self._judged * _FADE + min(right + 1, compared)
