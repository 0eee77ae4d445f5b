"""Owns whether prompts are computed beside the running answers, in the same steps, or in turn with them, learnt from what either took.

A GPU waits for the weights whatever a step's width, so that prompts beside answers cost little more than the prompts. On a processor a
step of both can take longer than two: llama.cpp's attention takes 64 rows at a time through all cells that one of them looks at, and rows
of many answers look at many. Must not know sequences, or how large a prompt's piece is.
"""

_LONGEST_TRUST_PIECES = 64
"""After so many pieces at the latest the other way is tried again: there are other answers, longer ones, by then."""


class PromptTurns:
    """Compares the two ways by what a prompt's token takes, in pieces of one prompt that follow each other."""

    def __init__(self) -> None:
        self.takes_turns = True
        """Whether the next piece is computed in a step of its own."""
        self._best_takes_turns = True
        self._best_seconds = 0.0
        self._pieces = 0
        self._trust_pieces = 1

    def __repr__(self) -> str:
        return f"PromptTurns({'in turn' if self._best_takes_turns else 'beside'}, for {self._trust_pieces} pieces)"

    def note(self, token_seconds: float, *, in_turn: bool) -> None:
        """While answers were running, a piece of a prompt took so long a token, beyond what the answers in its step take alone."""
        if in_turn == self._best_takes_turns:
            self._best_seconds = token_seconds
            self._pieces += 1
        elif self._best_seconds:
            self._judge(token_seconds)
        self.takes_turns = self._best_takes_turns ^ (self._pieces >= self._trust_pieces)

    def _judge(self, other_seconds: float) -> None:
        """The other way was tried: it is the best one from now on, or is left alone for twice as long."""
        self._pieces = 0
        if other_seconds < self._best_seconds:
            self._best_takes_turns = not self._best_takes_turns
            self._best_seconds = other_seconds
            self._trust_pieces = 1
        else:
            self._trust_pieces = min(2 * self._trust_pieces, _LONGEST_TRUST_PIECES)
