"""Owns how much is guessed: which sequences of a step get a draft, how long it is, and how often drafts were right.

Must not know how guesses are made, nor how they are verified.
"""

import time
from collections.abc import Sequence as AbstractSequence
from heapq import merge
from itertools import accumulate, islice

import msgspec

from engine.config import Drafting
from engine.worker.draft_model import DraftModel, Unguessed
from engine.worker.guesser import Record
from engine.worker.scheduler import Chunk
from engine.worker.sequence import Sequence
from engine.worker.step_cost import LIKED_ROWS, WIDEST_ROWS, StepCost

_SMOOTHING = 0.2


class _Offer(msgspec.Struct):
    """What may be guessed of one chunk's sequence: tokens that are known already, or (None) a number that the draft model would find."""

    record: Record
    tokens: AbstractSequence[int] | None
    length: int

    def gains(self, owner: int) -> list[tuple[float, int]]:
        """What each token is expected to gain, the owner beside: one counts only where all before it are right."""
        return [(self.record.right_share**place, owner) for place in range(1, self.length + 1)]


class Speculation:
    """Puts drafts behind the chunks of a step. `cost` is to be told what steps take. `drafted_tokens` were computed as guesses,
    `accepted_tokens` of them were right.

    A guess costs rows of the step and gains a token where it is right. Drafts are as long as makes the expected tokens of a second the
    most, by what steps of each width were measured to take and by how often each sequence's guesses were right so far. So they shrink to
    nothing where they do not pay: where the answer takes its own way, and where the step is wide already.
    """

    def __init__(self, params: Drafting, *, can_forget: bool, draft_model: DraftModel | None = None) -> None:
        """`can_forget`: whether the memory can take back a wrong guess; without, nothing is guessed."""
        self._most_tokens = params.tokens if can_forget else 0
        self._always = params.prompt_lookup == "on"
        self._draft_model = draft_model
        self._round_seconds = 0.0
        self.cost = StepCost()
        self.drafted_tokens = 0
        self.accepted_tokens = 0

    def __repr__(self) -> str:
        return f"Speculation({self.accepted_tokens} of {self.drafted_tokens} right, {self.cost!r})"

    def extend(self, chunks: AbstractSequence[Chunk], room_tokens: int) -> list[Chunk]:
        """The same chunks, some with a draft; all drafts together have at most `room_tokens`."""
        rows = sum(chunk.count for chunk in chunks)
        room_tokens = min(room_tokens, WIDEST_ROWS - rows)
        if not self._most_tokens or room_tokens <= 0 or not all(_may_have_draft(chunk) for chunk in chunks):
            return list(chunks)
        offers = [self._offer(chunk.sequence) for chunk in chunks]
        lengths = self._lengths(rows, offers, room_tokens)
        drafts = self._drafts(chunks, offers, lengths)
        return [
            msgspec.structs.replace(chunk, draft=tuple(draft)) if draft else chunk
            for chunk, draft in zip(chunks, drafts, strict=True)
        ]

    def note_drawn(self, sequence: Sequence, *, known: int, drafted: int, accepted: int) -> None:
        """Behind `known` tokens of a sequence `drafted` were guessed, of which `accepted` were drawn."""
        self.drafted_tokens += drafted
        self.accepted_tokens += accepted
        drawn = sequence.tokens[known:]
        if self._draft_model:
            sequence.draft_model_record.judge(drawn)
        if sequence.guesser:
            sequence.guesser.record.judge(drawn)
        if sequence.job.request.prediction is not None:
            sequence.job.accepted_prediction_tokens += accepted
            sequence.job.rejected_prediction_tokens += drafted - accepted

    def check_integrity(self) -> None:
        """Raise AssertionError unless the draft model's slots agree with its KV cells."""
        if self._draft_model:
            self._draft_model.check_integrity()

    def _offer(self, sequence: Sequence) -> _Offer:
        """What may follow, one token less than may be drawn: behind the last guess one more is drawn."""
        room = max(0, min(self._most_tokens, sequence.job.limit_tokens - len(sequence.tokens) - 1))
        found = sequence.guesser.guess(sequence.tokens, room) if sequence.guesser else ()
        if sequence.guesser and (found or not self._draft_model):
            return _Offer(sequence.guesser.record, found, len(found))
        # A draft model sees no pictures.
        asked = self._draft_model is not None and not sequence.job.media
        return _Offer(sequence.draft_model_record, None if asked else (), room if asked else 0)

    def _lengths(self, rows: int, offers: AbstractSequence[_Offer], room_tokens: int) -> list[int]:
        """How much of each offer is taken: always the tokens of all offers that are most likely right."""
        gains = (offer.gains(owner) for owner, offer in enumerate(offers))
        ranked = list(islice(merge(*gains, reverse=True), room_tokens))
        expected = list(accumulate((gain for gain, _ in ranked), initial=float(len(offers))))
        lengths = [0] * len(offers)
        for _, owner in ranked[: self._best_count(rows, expected, self._drafting_seconds(offers, ranked))]:
            lengths[owner] += 1
        return lengths

    def _drafting_seconds(
        self, offers: AbstractSequence[_Offer], ranked: AbstractSequence[tuple[float, int]]
    ) -> list[float]:
        """What the draft model takes for the first so many of the ranked tokens: its longest guess counts."""
        lengths = [0] * len(offers)
        rounds = [0]
        for _, owner in ranked:
            lengths[owner] += offers[owner].tokens is None
            rounds.append(max(rounds[-1], lengths[owner]))
        return [count * self._round_seconds for count in rounds]

    def _best_count(
        self, rows: int, expected: AbstractSequence[float], drafting_seconds: AbstractSequence[float]
    ) -> int:
        """How many guessed tokens give the most tokens a second; of n of them, `expected[n]` tokens come of the step."""
        most = len(expected) - 1
        if self._always or not most:
            return most
        if not self.cost.is_measured(rows):
            return 0
        worth_a_look = [n for n in range(1, most) if (rows + n) % LIKED_ROWS == 0]
        return max(
            [0, *worth_a_look, most],
            key=lambda n: expected[n] / (self.cost.seconds(rows + n) + drafting_seconds[n]),
        )

    def _drafts(
        self, chunks: AbstractSequence[Chunk], offers: AbstractSequence[_Offer], lengths: AbstractSequence[int]
    ) -> list[AbstractSequence[int]]:
        drafts = [(offer.tokens or ())[:length] for offer, length in zip(offers, lengths, strict=True)]
        unguessed = [place for place, offer in enumerate(offers) if offer.tokens is None and lengths[place]]
        if unguessed and self._draft_model:
            started = time.monotonic()
            found = self._draft_model.guess([_unguessed(chunks[place].sequence, lengths[place]) for place in unguessed])
            self._note_round((time.monotonic() - started) / max(lengths[place] for place in unguessed))
            for place, guess in zip(unguessed, found, strict=True):
                drafts[place] = offers[place].record.expect(guess)
        return drafts

    def _note_round(self, seconds: float) -> None:
        known = self._round_seconds or seconds
        self._round_seconds = known + _SMOOTHING * (seconds - known)


def _unguessed(sequence: Sequence, wanted: int) -> Unguessed:
    return Unguessed(sequence.tokens, wanted, sequence.salt)


def _may_have_draft(chunk: Chunk) -> bool:
    """Behind the last known token; not behind vectors, which have a batch to themselves."""
    return chunk.catches_up and chunk.span_rows is None
