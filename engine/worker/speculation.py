"""Owns how much is guessed: which sequences of a step get a draft, how long it is, and how often drafts were right.

Must not know where guesses come from, nor how they are verified.
"""

from collections.abc import Sequence as AbstractSequence
from heapq import merge
from itertools import accumulate, islice

import msgspec

from engine.config import Drafting
from engine.worker.scheduler import Chunk
from engine.worker.sequence import Sequence
from engine.worker.step_cost import WIDEST_ROWS, StepCost

_LIKED_ROWS = 4
"""llama.cpp's processor kernels take so many rows as one; other devices do not mind."""


class Speculation:
    """Puts drafts behind the chunks of a step. `drafted_tokens` were computed as guesses, `accepted_tokens` of them were right.

    A guess costs rows of the step and gains a token where it is right. Drafts are as long as makes the expected tokens of a second the
    most, by what steps of each width were measured to take and by how often each sequence's guesses were right so far. So they shrink to
    nothing where they do not pay: where the answer takes its own way, and where the step is wide already.
    """

    def __init__(self, params: Drafting, *, can_forget: bool) -> None:
        """`can_forget`: whether the memory can take back a wrong guess; without, nothing is guessed."""
        self._most_tokens = params.tokens if can_forget else 0
        self._always = params.prompt_lookup == "on"
        self._cost = StepCost()
        self.drafted_tokens = 0
        self.accepted_tokens = 0

    def __repr__(self) -> str:
        return f"Speculation({self.accepted_tokens} of {self.drafted_tokens} right, {self._cost!r})"

    def extend(self, chunks: AbstractSequence[Chunk], room_tokens: int) -> list[Chunk]:
        """The same chunks, some with a draft; all drafts together have at most `room_tokens`."""
        rows = sum(chunk.count for chunk in chunks)
        room_tokens = min(room_tokens, WIDEST_ROWS - rows)
        if room_tokens <= 0 or not all(chunk.catches_up for chunk in chunks):
            return list(chunks)
        guesses = [self._guess(chunk.sequence) for chunk in chunks]
        lengths = self._lengths(rows, chunks, guesses, room_tokens)
        return [
            msgspec.structs.replace(chunk, draft=tuple(guess[:length])) if length else chunk
            for chunk, guess, length in zip(chunks, guesses, lengths, strict=True)
        ]

    def note_step(self, chunks: AbstractSequence[Chunk], seconds: float) -> None:
        """A step took so long. Those that compute prompts tell nothing: most of their rows have no output."""
        if all(chunk.count == 1 for chunk in chunks):
            self._cost.note(sum(1 + len(chunk.draft) for chunk in chunks), seconds)

    def note_drawn(self, sequence: Sequence, *, known: int, drafted: int, accepted: int) -> None:
        """Behind `known` tokens of a sequence `drafted` were guessed, of which `accepted` were drawn."""
        self.drafted_tokens += drafted
        self.accepted_tokens += accepted
        if sequence.guesser:
            sequence.guesser.judge(sequence.tokens[known:])
            if sequence.job.request.prediction is not None:
                sequence.job.accepted_prediction_tokens += accepted
                sequence.job.rejected_prediction_tokens += drafted - accepted

    def _guess(self, sequence: Sequence) -> AbstractSequence[int]:
        """What may follow, one token less than may be drawn: behind the last guess one more is drawn."""
        room = min(self._most_tokens, sequence.job.limit_tokens - len(sequence.tokens) - 1)
        return sequence.guesser.guess(sequence.tokens, room) if sequence.guesser and room > 0 else ()

    def _lengths(
        self,
        rows: int,
        chunks: AbstractSequence[Chunk],
        guesses: AbstractSequence[AbstractSequence[int]],
        room_tokens: int,
    ) -> list[int]:
        """How much of each guess is taken: always the tokens of all guesses that are most likely right."""
        ranked = list(islice(merge(*map(_gains, range(len(chunks)), chunks, guesses), reverse=True), room_tokens))
        lengths = [0] * len(chunks)
        for _, owner in ranked[: self._best_count(rows, len(chunks), [gain for gain, _ in ranked])]:
            lengths[owner] += 1
        return lengths

    def _best_count(self, rows: int, answers: int, gains: list[float]) -> int:
        """How many guessed tokens give the most expected tokens a second, where the step yields `answers` without."""
        if self._always or not gains:
            return len(gains)
        if not self._cost.is_measured(rows):
            return 0
        expected = list(accumulate(gains, initial=float(answers)))
        worth_a_look = [n for n in range(1, len(gains)) if (rows + n) % _LIKED_ROWS == 0]
        return max([0, *worth_a_look, len(gains)], key=lambda n: expected[n] / self._cost.seconds(rows + n))


def _gains(owner: int, chunk: Chunk, guess: AbstractSequence[int]) -> list[tuple[float, int]]:
    """What each token of a guess is expected to gain, the owner beside: it counts only where all before it are right."""
    guesser = chunk.sequence.guesser
    return [(guesser.right_share**place, owner) for place in range(1, len(guess) + 1)] if guesser else []
