"""Owns the order of work: which sequences have a slot, and which of their tokens the next step computes.

There is no prefill and no decode phase: a sequence with one pending token is generating, one with more is catching up, and a
step takes from both. Must not know the model, samplers or events.
"""

from collections.abc import Iterator
from collections.abc import Sequence as AbstractSequence

import msgspec

from engine.worker.pacing import StepPace
from engine.worker.sequence import Sequence
from engine.worker.slots import Slots, common_prefix_length

# Below this a wait for another sequence's prefix costs more than computing it.
_WORTH_WAITING_TOKENS = 32


class Chunk(msgspec.Struct, frozen=True):
    """The next `count` pending tokens of a sequence; where these are all, `draft` guesses what follows them."""

    sequence: Sequence
    count: int
    draft: tuple[int, ...] = ()

    @property
    def tokens(self) -> AbstractSequence[int]:
        """The token ids to compute, drafted ones included."""
        start = self.sequence.computed
        return [*self.sequence.tokens[start : start + self.count], *self.draft]

    @property
    def catches_up(self) -> bool:
        """Whether all known tokens are computed after it, so that the next can be drawn."""
        return self.count == self.sequence.pending


class Scheduler:
    """Sequences that wait for a slot (oldest first) and those that have one (in the order in which they got it)."""

    def __init__(self, slots: Slots, pace: StepPace) -> None:
        """`pace` bounds a step, and its prompt part while answers are being generated."""
        self._slots = slots
        self._pace = pace
        self.waiting: list[Sequence] = []
        self.running: list[Sequence] = []
        self._is_full = False

    def __repr__(self) -> str:
        return f"Scheduler(running={self.running} waiting={self.waiting} {self._slots!r})"

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to do."""
        return not self.waiting and not self.running

    def add(self, sequence: Sequence) -> None:
        """Queue a sequence."""
        self.waiting.append(sequence)

    def discard(self, sequence: Sequence) -> None:
        """A sequence is finished or cancelled: its slot is free from now on, its state stays reusable."""
        self._is_full = False
        if sequence in self.waiting:
            self.waiting.remove(sequence)
        elif sequence in self.running:
            self.running.remove(sequence)
            self._give_up_slot(sequence)

    def schedule(self) -> list[Chunk]:
        """The next step: every generating sequence's token, then as much of the prompts as fits."""
        self._admit()
        chunks = [Chunk(sequence, 1) for sequence in self.running if sequence.pending == 1]
        chunks.extend(self._prompt_chunks(self._pace.prompt_tokens(len(chunks))))
        return chunks

    def make_room(self) -> bool:
        """The KV cache is full: forget an idle prefix, else take the slot of the youngest sequence, which starts again
        when another has ended. False if only one sequence is left, for which there must be room."""
        if self._slots.evict_idle():
            return True
        if len(self.running) < 2:
            return False
        self._is_full = True
        youngest = self.running.pop()
        assert youngest.slot is not None
        self._slots.clear(youngest.slot)
        self._give_up_slot(youngest)
        self.waiting.insert(0, youngest)
        return True

    def _prompt_chunks(self, room: int) -> Iterator[Chunk]:
        for sequence in self.running:
            if sequence.pending > 1 and room > 0 and sequence.slot is not None:
                count = sequence.slot.reach(min(sequence.pending, room))
                room -= count
                yield Chunk(sequence, count)

    def _admit(self) -> None:
        """Give slots to waiting sequences, but let those wait whose prefix another is just computing."""
        for sequence in list(self.waiting):
            if self._is_full or not self._slots.has_idle:
                return
            if self._should_wait(sequence):
                continue
            self.waiting.remove(sequence)
            sequence.slot = self._slots.acquire(
                sequence.tokens, salt=sequence.salt, reuse=sequence.reuses_prefixes, stops=sequence.job.stops
            )
            self.running.append(sequence)
            sequence.job.note_admitted(sequence.computed)

    def _should_wait(self, sequence: Sequence) -> bool:
        if not sequence.reuses_prefixes:
            return False
        cached = self._slots.cached_prefix_length(sequence.tokens, salt=sequence.salt)
        return any(self._awaits(sequence, other, cached) for other in self.running if other.pending > 1)

    def _awaits(self, sequence: Sequence, other: Sequence, cached: int) -> bool:
        """Whether `other` is about to compute enough of what `sequence` needs. Answers to one request always share its prompt."""
        if other.slot is None or other.salt != sequence.salt:
            return False
        shared = common_prefix_length(other.tokens, sequence.tokens, at_most=len(sequence.tokens) - 1)
        worth_waiting = 1 if other.job is sequence.job else _WORTH_WAITING_TOKENS
        return shared - cached >= worth_waiting and self._slots.expect(other.slot, shared)

    def _give_up_slot(self, sequence: Sequence) -> None:
        if sequence.slot is not None:
            self._slots.release(sequence.slot)
            sequence.slot = None
