"""Owns the computing of a step: what the scheduler plans goes into one batch, drafts behind it where there is room.

Must not know what is drawn from the outputs, nor what the events are.
"""

import logging
import time
from collections.abc import Sequence as AbstractSequence
from contextlib import suppress
from typing import Protocol

import msgspec

from engine.llama.batch import Batch, VectorBatch
from engine.llama.context import Context
from engine.llama.library import LlamaError, NoKvSlot
from engine.worker.pacing import StepPace
from engine.worker.scheduler import Chunk, Scheduler
from engine.worker.step_cost import StepCost
from engine.worker.tally import Tally

_log = logging.getLogger("worker")


class Drafts(Protocol):
    """Guesses of what follows the known tokens: see engine.worker.speculation."""

    def extend(self, chunks: AbstractSequence[Chunk], room_tokens: int) -> list[Chunk]:
        """The same chunks, some with a draft; all drafts together have at most `room_tokens`."""


class ComputedChunk(msgspec.Struct, frozen=True):
    """A chunk of the last batch, and the batch's row of its first token; of vectors, which may be more or fewer than the positions that
    they take, such that the last is where a last token would be."""

    chunk: Chunk
    first_row: int


class Runner:
    """Computes what the scheduler plans."""

    def __init__(
        self, context: Context, scheduler: Scheduler, pace: StepPace, cost: StepCost, drafts: Drafts, tally: Tally
    ) -> None:
        """`pace` and `cost` are told how long steps took, `tally` counts them."""
        self._context = context
        self._scheduler = scheduler
        self._pace = pace
        self._cost = cost
        self._drafts = drafts
        self._tally = tally
        self._batch = Batch(context.batch_tokens)

    def step(self) -> list[ComputedChunk] | None:
        """Compute the next step. None if computing failed for good."""
        try:
            return self._compute_what_fits()
        except NoKvSlot:
            _log.exception("no room in the KV cache for %r", self._scheduler)
        except LlamaError:
            _log.exception("decoding failed in %r", self._scheduler)
        return None

    def _compute_what_fits(self) -> list[ComputedChunk]:
        """Where there is no room in the KV cache the guesses go first: no sequence loses its place for them."""
        while True:
            with self._tally.timing("schedule"):
                chunks = self._scheduler.schedule()
                room_tokens = self._batch.capacity - sum(chunk.count for chunk in chunks)
                extended = self._drafts.extend(chunks, room_tokens)
            for attempt, may_pad in ((extended, True), (chunks, False)):
                with suppress(NoKvSlot):
                    return self._compute(attempt, may_pad=may_pad)
            if not self._scheduler.make_room():
                raise NoKvSlot("not even one sequence fits")

    def _compute(self, chunks: AbstractSequence[Chunk], *, may_pad: bool) -> list[ComputedChunk]:
        if chunks[0].span_rows is not None:
            return [self._compute_span(chunks[0], *chunks[0].span_rows)]
        self._batch.clear()
        computed = [ComputedChunk(chunk, self._fill(chunk)) for chunk in chunks]
        self._context.apply(chunks[0].sequence.job.adapters)  # the scheduler puts no others into one step
        # Steps that compute prompts tell nothing of what a row costs: most of their rows have no output.
        is_narrow = all(chunk.count == 1 for chunk in chunks)
        rows = len(self._batch)
        may_pad = may_pad and self._context.can_pad
        padded = (self._cost.padded(rows) if is_narrow else self._pace.padded(rows)) if may_pad else rows
        started = time.monotonic()
        with self._tally.timing("decode"):
            self._context.decode_padded(self._batch, padded - rows, with_outputs=is_narrow)
        seconds = time.monotonic() - started
        if is_narrow:
            self._cost.note(padded, seconds)
        self._note(chunks, seconds)
        return computed

    def _compute_span(self, chunk: Chunk, start: int, stop: int) -> ComputedChunk:
        """Vectors of a picture or a sound: the last has an output where the prompt ends with it."""
        sequence = chunk.sequence
        placed = sequence.next_span
        assert placed is not None
        assert sequence.slot is not None
        span = placed.span
        positions = span.positions_from(placed.start, start, stop)
        vectors = placed.vectors[start:stop]
        batch = VectorBatch(vectors, positions, sequence.slot.number, with_output=chunk.catches_up)
        self._context.apply(sequence.job.adapters)
        decode = self._context.decode_together if span.sees_all else self._context.decode
        started = time.monotonic()
        with self._tally.timing("decode"):
            decode(batch)
        self._tally.note_batch(tokens=len(batch), prompt_tokens=len(batch))
        self._pace.note(answer_tokens=0, prompt_tokens=len(batch), seconds=time.monotonic() - started)
        return ComputedChunk(chunk, len(batch) - chunk.count)

    def _note(self, chunks: AbstractSequence[Chunk], seconds: float) -> None:
        generating = [chunk for chunk in chunks if chunk.sequence.is_generating]
        answers = sum(chunk.count for chunk in generating)
        drafted = sum(len(chunk.draft) for chunk in chunks)
        computed = sum(chunk.count for chunk in chunks)
        self._tally.note_batch(tokens=computed + drafted, prompt_tokens=computed - answers)
        if drafted and len(generating) == len(chunks):
            return  # it takes longer than what the pace is for, and yields more
        answers_wait = not generating and any(sequence.is_generating for sequence in self._scheduler.running)
        self._pace.note(
            answer_tokens=answers,
            prompt_tokens=computed - answers + drafted,
            seconds=seconds,
            answers_wait=answers_wait,
        )

    def _fill(self, chunk: Chunk) -> int:
        """Outputs are wanted of the last known token and of each drafted one; where a prompt is scored, of all."""
        sequence = chunk.sequence
        assert sequence.slot is not None
        wants_output = 0 if sequence.scores_prompt else chunk.count - (1 if chunk.catches_up else 0)
        return self._batch.add(
            chunk.tokens, position=sequence.computed, sequence=sequence.slot.number, output_from=wants_output
        )
