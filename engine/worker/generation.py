"""Owns one step of generation: schedule, decode, sample, emit. Must not know frames, sockets or threads."""

import logging
import time
from collections.abc import Iterator

from engine.errors import EngineError
from engine.events import Event, Failed, Finished, FinishReason, Started, TextDelta, TokenLogprob
from engine.llama.batch import Batch
from engine.llama.candidates import NoCandidates
from engine.llama.context import Context
from engine.llama.library import LlamaError, NoKvSlot
from engine.llama.model import Model
from engine.request import TextPrompt
from engine.worker.logprobs import RowLogprobs
from engine.worker.pacing import StepPace
from engine.worker.scheduler import Chunk, Scheduler
from engine.worker.sequence import GenerationJob, Sequence
from engine.worker.slots import Slots

_log = logging.getLogger("worker")


class Generator:
    """Generates any number of answers together. Events come out of `start` and `step` as (request id, event)."""

    def __init__(self, model: Model, context: Context, *, target_step_seconds: float) -> None:
        """`target_step_seconds`: how long a prompt that comes in may hold up the running answers at a time."""
        self._model = model
        self._context = context
        self._slots = Slots(context, context.sequences, shares_prefixes=model.removes_partially)
        self._pace = StepPace(target_seconds=target_step_seconds, batch_tokens=context.batch_tokens)
        self._scheduler = Scheduler(self._slots, self._pace)
        self._batch = Batch(context.batch_tokens)
        self._jobs: dict[int, GenerationJob] = {}
        self._ends = frozenset(model.end_tokens)

    def __repr__(self) -> str:
        return repr(self._scheduler)

    @property
    def ctx_size_tokens(self) -> int:
        """The most tokens of one prompt and answer together."""
        return self._context.ctx_size_tokens

    @property
    def is_idle(self) -> bool:
        """Whether a step would do nothing."""
        return self._scheduler.is_idle

    def start(self, job: GenerationJob) -> Iterator[tuple[int, Event]]:
        """Queue the answers of a prepared request."""
        self._jobs[job.id] = job
        yield job.id, Started(prompt_tokens=len(job.prompt_tokens))
        for sequence in job.sequences:
            if job.request.echo and not sequence.scores_prompt:
                yield job.id, TextDelta(index=sequence.index, text=self._prompt_text(job), echo=True)
            if sequence.reached_limit and not sequence.scores_prompt:
                yield from self._finish(sequence, "length")
            else:
                self._scheduler.add(sequence)

    def cancel(self, request_id: int) -> None:
        """Forget a request; its slots are free at once."""
        job = self._jobs.pop(request_id, None)
        if job is None:
            return
        for sequence in job.sequences:
            self._scheduler.discard(sequence)
        job.close()

    def step(self) -> Iterator[tuple[int, Event]]:
        """Schedule, decode, sample, emit."""
        rows = self._decode_next()
        if rows is None:
            yield from self._fail_all(EngineError("internal", "the model's computation failed"))
            return
        for chunk, row in rows:
            sequence = chunk.sequence
            if sequence.slot is None:
                continue  # a failure of another answer to the same request took it away within this step
            try:
                yield from self._continue(chunk, row)
            except EngineError as error:
                yield from self._fail(sequence.job, error)
            except LlamaError as error:
                yield from self._fail(sequence.job, EngineError("internal", str(error)))

    def forget_cached_prefixes(self) -> None:
        """Drop the state of every slot that no sequence owns."""
        while self._slots.evict_idle():
            pass

    def check_integrity(self) -> None:
        """Raise AssertionError unless slots and KV cells agree, and nothing is left over when idle."""
        self._slots.check_integrity()
        if self.is_idle and self._jobs:
            raise AssertionError(f"idle, but with open jobs {sorted(self._jobs)}")

    def _decode_next(self) -> list[tuple[Chunk, int]] | None:
        """Compute the next step; the chunks with their first rows. None if computing failed for good."""
        while True:
            chunks = self._scheduler.schedule()
            started = time.monotonic()
            self._batch.clear()
            rows = [(chunk, self._fill(chunk)) for chunk in chunks]
            try:
                self._context.decode(self._batch)
            except NoKvSlot:
                if self._scheduler.make_room():
                    continue
                _log.exception("no room in the KV cache for %r", self)
                return None
            except LlamaError:
                _log.exception("decoding failed in %r", self)
                return None
            self._note_pace(chunks, time.monotonic() - started)
            return rows

    def _note_pace(self, chunks: list[Chunk], seconds: float) -> None:
        answers = sum(chunk.count == chunk.sequence.pending == 1 for chunk in chunks)
        total = sum(chunk.count for chunk in chunks)
        self._pace.note(answer_tokens=answers, prompt_tokens=total - answers, seconds=seconds)

    def _fill(self, chunk: Chunk) -> int:
        sequence = chunk.sequence
        assert sequence.slot is not None
        wants_output = 0 if sequence.scores_prompt else chunk.count - (1 if chunk.catches_up else 0)
        return self._batch.add(
            chunk.tokens, position=sequence.computed, sequence=sequence.slot.number, output_from=wants_output
        )

    def _continue(self, chunk: Chunk, row: int) -> Iterator[tuple[int, Event]]:
        """What follows from a computed chunk: the next token, where all known ones are computed."""
        sequence = chunk.sequence
        assert sequence.slot is not None
        scores = sequence.scores_prompt
        if scores:
            self._score_prompt(chunk, row)
        catches_up = chunk.catches_up
        self._slots.advance(sequence.slot, chunk.tokens)
        if not catches_up:
            return
        if scores:
            yield sequence.job.id, self._scored_prompt(sequence)
        if sequence.reached_limit:
            yield from self._finish(sequence, "length")
        else:
            yield from self._draw(sequence, row + chunk.count - 1)

    def _draw(self, sequence: Sequence, row: int) -> Iterator[tuple[int, Event]]:
        """Sample one token and emit what it makes certain."""
        job = sequence.job
        request = job.request
        scores = RowLogprobs(self._context.logits(row)) if request.logprobs is not None or request.score else None
        if sequence.constraint:
            sequence.constraint.mask(self._context.logits(row))
        token = self._sample(sequence, row)
        job.note_token()
        if sequence.constraint:
            sequence.constraint.accept(token)
        if scores and request.score:
            sequence.cumulative_logprob += scores.of(token)
        if token in self._ends:
            yield from self._finish(sequence, "stop")
            return
        sequence.tokens.append(token)
        sequence.completion_tokens += 1
        job.completion_tokens += 1
        logprob = (
            scores.report(token, request.logprobs, self._model.piece)
            if scores and request.logprobs is not None
            else None
        )
        for event in sequence.output.push(self._model.piece(token), logprob):
            yield job.id, event
        reason = self._ending(sequence)
        if reason:
            yield from self._finish(sequence, reason)

    def _sample(self, sequence: Sequence, row: int) -> int:
        """The next token. Where the request's own bans leave none that its constraint allows, that is their fault."""
        try:
            return sequence.sampler.sample(self._context, row)
        except NoCandidates as error:
            if not (sequence.constraint and sequence.job.request.sampling.logit_bias):
                raise
            raise EngineError(
                "invalid_request", "it bans every token that the schema allows at this place", param="logit_bias"
            ) from error

    @staticmethod
    def _ending(sequence: Sequence) -> FinishReason | None:
        if sequence.output.hit_stop_string or (sequence.constraint and sequence.constraint.is_complete):
            return "stop"
        return "length" if sequence.reached_limit else None

    def _finish(self, sequence: Sequence, reason: FinishReason) -> Iterator[tuple[int, Event]]:
        job = sequence.job
        self._scheduler.discard(sequence)
        sequence.sampler.close()  # it holds as much as a vocabulary's candidates; the request may have many answers
        score = sequence.cumulative_logprob if job.request.score else None
        for event in sequence.output.finish(
            reason, completion_tokens=sequence.completion_tokens, cumulative_logprob=score
        ):
            yield job.id, event
        job.unfinished -= 1
        if not job.unfinished:
            del self._jobs[job.id]
            yield job.id, Finished(usage=job.usage, timings=job.timings, context=self._final_context(job))
            job.close()

    @staticmethod
    def _final_context(job: GenerationJob) -> tuple[int, ...]:
        return tuple(job.sequences[0].tokens) if job.request.return_context else ()

    def _fail(self, job: GenerationJob, error: EngineError) -> Iterator[tuple[int, Event]]:
        self.cancel(job.id)
        yield job.id, Failed(code=error.code, message=error.message, param=error.param)

    def _fail_all(self, error: EngineError) -> Iterator[tuple[int, Event]]:
        """After a failed decode the state of no sequence can be trusted."""
        for job in list(self._jobs.values()):
            yield from self._fail(job, error)
        self._slots.clear_all()

    def _score_prompt(self, chunk: Chunk, row: int) -> None:
        """Note the log probabilities that this chunk gives for the prompt tokens behind its own."""
        sequence = chunk.sequence
        job = sequence.job
        top = job.request.logprobs or 0
        if not sequence.computed:
            first = sequence.tokens[0]
            sequence.prompt_logprobs = [TokenLogprob(token_id=first, bytes=self._special_piece(first), logprob=None)]
        following = job.prompt_tokens[sequence.computed + 1 : sequence.computed + chunk.count + 1]
        for offset, token in enumerate(following):
            scores = RowLogprobs(self._context.logits(row + offset))
            sequence.prompt_logprobs.append(scores.report(token, top, self._special_piece))

    def _scored_prompt(self, sequence: Sequence) -> TextDelta:
        logprobs, sequence.prompt_logprobs = tuple(sequence.prompt_logprobs), []
        sequence.is_prompt_scored = True
        return TextDelta(index=sequence.index, text=self._prompt_text(sequence.job), logprobs=logprobs, echo=True)

    def _prompt_text(self, job: GenerationJob) -> str:
        prompt = job.request.prompt
        if isinstance(prompt, TextPrompt):
            return prompt.text
        return b"".join(map(self._special_piece, job.prompt_tokens)).decode("utf-8", "replace")

    def _special_piece(self, token: int) -> bytes:
        return self._model.piece(token, special=True)
