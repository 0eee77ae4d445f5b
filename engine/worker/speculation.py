"""Owns how much is guessed: which sequences of a step get a draft, how long it is, and how often drafts were right.

Must not know where guesses come from, nor how they are verified.
"""

from collections.abc import Sequence as AbstractSequence

import msgspec

from engine.worker.scheduler import Chunk
from engine.worker.sequence import Sequence

_DRAFT_TOKENS = 15


class Speculation:
    """Puts drafts behind the chunks of a step. `drafted_tokens` were computed as guesses, `accepted_tokens` of them were right."""

    def __init__(self, *, is_possible: bool) -> None:
        """`is_possible`: whether the memory can forget a wrong guess."""
        self._is_possible = is_possible
        self.drafted_tokens = 0
        self.accepted_tokens = 0

    def extend(self, chunks: AbstractSequence[Chunk], room_tokens: int) -> list[Chunk]:
        """The same chunks, some with a draft; all drafts together have at most `room_tokens`."""
        if not self._is_possible:
            return list(chunks)
        extended = []
        for chunk in chunks:
            draft = self._draft(chunk, room_tokens) if chunk.catches_up else ()
            room_tokens -= len(draft)
            extended.append(msgspec.structs.replace(chunk, draft=draft) if draft else chunk)
        return extended

    def note(self, sequence: Sequence, *, drafted: int, accepted: int) -> None:
        """Of a sequence's draft, `accepted` tokens were right."""
        self.drafted_tokens += drafted
        self.accepted_tokens += accepted
        sequence.job.accepted_draft_tokens += accepted
        sequence.job.rejected_draft_tokens += drafted - accepted

    @staticmethod
    def _draft(chunk: Chunk, room_tokens: int) -> tuple[int, ...]:
        sequence = chunk.sequence
        wanted = sequence.job.limit_tokens - len(sequence.tokens) - 1
        at_most = min(_DRAFT_TOKENS, room_tokens, wanted)
        return tuple(sequence.drafter.draft(sequence.tokens, at_most)) if sequence.drafter and at_most > 0 else ()
