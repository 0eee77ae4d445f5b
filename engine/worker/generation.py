"""Owns one step of generation: schedule, decode, sample, emit. Must not know frames, sockets or threads."""

import itertools
from collections.abc import Generator as AbstractGenerator
from collections.abc import Iterator

from engine.activity import WorkerActivity
from engine.errors import EngineError
from engine.events import Admitted, Event, Failed, Finished, FinishReason, Started
from engine.llama.constraint import ConstraintExhausted
from engine.llama.context import Context
from engine.llama.library import LlamaError
from engine.llama.model import Model
from engine.worker.answer_form import held_by
from engine.worker.drawing import Drawing, Drawn
from engine.worker.media_places import without_media
from engine.worker.observing import Observer
from engine.worker.pacing import StepPace
from engine.worker.prefix_files import PrefixFiles
from engine.worker.prefix_store import PrefixStore
from engine.worker.prefixes import MemoryKind, common_prefix_length
from engine.worker.prompt_echo import PromptEcho
from engine.worker.runner import ComputedChunk, Runner
from engine.worker.scheduler import Scheduler
from engine.worker.sequence import GenerationJob, Sequence
from engine.worker.slots import Slot, Slots
from engine.worker.speculation import Speculation
from engine.worker.tally import Tally

Appending = AbstractGenerator[tuple[int, Event], None, bool]
"""Events, and in the end whether they were the last of their answer."""


class Generator:
    """Generates any number of answers together. Events come out of `start` and `step` as (request id, event)."""

    def __init__(
        self,
        model: Model,
        context: Context,
        tally: Tally,
        speculation: Speculation,
        *,
        parallel: int,
        target_step_seconds: float,
        prefix_cache_bytes: int,
        prefix_files: PrefixFiles | None = None,
    ) -> None:
        """`parallel` sequences are computed at once; the context's other ones keep what may be wanted again, and
        `prefix_cache_bytes` of the host's memory what has to leave the context; so do `prefix_files`, over restarts.
        `target_step_seconds`: how long a prompt that comes in may hold up the running answers at a time."""
        self._model = model
        self._context = context
        self._drawing = Drawing(model, context)
        self._echo = PromptEcho(model, context)
        memory = MemoryKind(is_divisible=model.removes_partially, window_tokens=model.window_tokens)
        pace = StepPace(target_seconds=target_step_seconds, batch_tokens=context.batch_tokens)
        self._prefix_files = prefix_files
        self._store = PrefixStore(
            prefix_cache_bytes, memory, token_seconds=lambda: pace.prompt_token_seconds, sink=prefix_files
        )
        spare = context.sequences - parallel
        store = self._store if prefix_cache_bytes else None
        self._slots = Slots(context, parallel, spare=spare, memory=memory, store=store)
        self._scheduler = Scheduler(self._slots, pace)
        self._tally = tally
        self.speculation = speculation
        self._runner = Runner(context, self._scheduler, pace, speculation.cost, self.speculation, tally)
        caches = [cache for cache in (store, prefix_files) if cache is not None]
        self._observer = Observer(
            self._slots, self._scheduler, self.speculation, tally, caches, capacity_tokens=context.ctx_size_tokens
        )
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
        job.stops = self._stops(job.prompt_tokens)
        yield job.id, Started(prompt_tokens=job.prompt_rows, unused=job.unused)
        early: list[tuple[int, Event]] = []
        for sequence in job.sequences:
            if job.id in self._jobs:
                early.extend(self._guarded(sequence, self._begin(sequence)))
        if job.id in self._jobs:
            job.early_events = early
        else:
            yield from early

    def fetch_prefix(self, job: GenerationJob) -> None:
        """Read what a disk has of a prompt's state, as long as that takes: for the thread that prepared the job."""
        first = job.sequences[0]
        if self._prefix_files is not None and first.reuses_prefixes:
            self._prefix_files.fetch(self._store, first.salt, job.prompt_tokens)

    def keep_prefixes(self) -> None:
        """Give what is kept over restarts the state that is in the context yet."""
        if self._prefix_files is not None:
            while self._slots.evict_idle():
                pass

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
        computed = self._runner.step()
        if computed is None:
            yield from self._fail_all(EngineError("internal", "the model's computation failed"))
            return
        with self._tally.timing("sample"):
            for piece in computed:
                sequence = piece.chunk.sequence
                if sequence.slot is None:
                    continue  # a failure of another answer to the same request took it away within this step
                yield from self._admit(sequence.job)
                yield from self._guarded(sequence, self._continue(piece))

    @staticmethod
    def _admit(job: GenerationJob) -> Iterator[tuple[int, Event]]:
        """With its first computed tokens a request has its place; what was certain before comes behind that."""
        early, job.early_events = job.early_events, None
        if early is not None:
            yield job.id, Admitted()
            yield from early

    def activity(self) -> WorkerActivity:
        """What is going on; for any thread."""
        return self._observer.activity()

    def forget_cached_prefixes(self) -> None:
        """Drop all state that no sequence owns."""
        self._slots.forget_idle()

    def check_integrity(self) -> None:
        """Raise AssertionError unless slots and KV cells agree, and nothing is left over when idle."""
        self._slots.check_integrity()
        self.speculation.check_integrity()
        if self.is_idle and self._jobs:
            raise AssertionError(f"idle, but with open jobs {sorted(self._jobs)}")

    def _stops(self, prompt: list[int]) -> tuple[int, ...]:
        """Where a prompt's last message ends: behind it stands what asks for the answer, which the next turn may not repeat."""
        ends = (index for index in range(len(prompt) - 1, 0, -1) if prompt[index - 1] in self._ends)
        return tuple(itertools.islice(ends, 1))

    def _guarded(self, sequence: Sequence, events: Iterator[tuple[int, Event]]) -> Iterator[tuple[int, Event]]:
        """The events of one of a job's answers; what goes wrong with it fails that job only."""
        job = sequence.job
        try:
            yield from events
        except EngineError as error:
            yield from self._fail(job, error)
        except ConstraintExhausted as error:
            message = f"{error} (behind {sequence.completion_tokens} tokens of the answer)"
            yield from self._fail(job, EngineError("unsupported_schema", message, param=held_by(job.request)))
        except LlamaError as error:
            yield from self._fail(job, EngineError("internal", str(error)))

    def _begin(self, sequence: Sequence) -> Iterator[tuple[int, Event]]:
        """Queue an answer, unless what is certain of it before anything is computed is all of it."""
        if sequence.job.request.echo and not sequence.scores_prompt:
            yield sequence.job.id, self._echo.plain(sequence)
        if sequence.reached_limit and not sequence.scores_prompt:
            yield from self._finish(sequence, "length")
            return
        ended = yield from self._force(sequence)
        if not ended:
            self._scheduler.add(sequence)

    def _continue(self, computed: ComputedChunk) -> Iterator[tuple[int, Event]]:
        """What follows from a computed chunk: the next tokens, where all known ones are computed."""
        chunk = computed.chunk
        sequence, catches_up = chunk.sequence, chunk.catches_up
        assert sequence.slot is not None
        scores = sequence.scores_prompt
        if scores:
            self._echo.score(chunk, computed.first_row)
        if chunk.span_rows is not None:
            sequence.span_rows = 0 if chunk.count else chunk.span_rows[1]
        self._slots.advance(sequence.slot, chunk.tokens)
        if not catches_up:
            return
        if scores:
            yield sequence.job.id, self._echo.scored(sequence)
        if sequence.reached_limit:
            yield from self._finish(sequence, "length")
        else:
            yield from self._draw_what_is_computed(sequence, computed.first_row + chunk.count - 1)

    def _draw_what_is_computed(self, sequence: Sequence, row: int) -> Iterator[tuple[int, Event]]:
        """Draw a token from the row of the last known one, and go on for as long as the draft behind it turns out to be right.

        Each token is drawn from the distribution that plain decoding would have drawn it from, so a draft changes no answer.
        """
        slot = sequence.slot
        assert slot is not None
        known = agreed = sequence.known_before_draft = len(sequence.tokens)
        try:
            while agreed == len(sequence.tokens) and sequence.slot is slot:
                yield from self._draw(sequence, row + agreed - known)
                agreed += common_prefix_length(slot.tokens[agreed:], sequence.tokens[agreed:])
        finally:
            self._settle_draft(sequence, slot)

    def _settle_draft(self, sequence: Sequence, slot: Slot) -> None:
        """Take back what was wrong of a step's draft: once, and before its answer's end is told and its slot given up."""
        known, sequence.known_before_draft = sequence.known_before_draft, None
        if known is not None:
            accepted = common_prefix_length(slot.tokens[known:], sequence.tokens[known:])
            self.speculation.note_drawn(sequence, known=known, drafted=len(slot.tokens) - known, accepted=accepted)
            self._slots.truncate(slot, known + accepted)

    def _draw(self, sequence: Sequence, row: int) -> Iterator[tuple[int, Event]]:
        """Draw one token and emit what it makes certain, with the tokens that can only follow it."""
        drawn = self._drawing.draw(sequence, row)
        if drawn.token in self._ends:
            yield from self._finish(sequence, "stop")
            return
        ended = yield from self._append(sequence, drawn)
        if not ended:
            yield from self._force(sequence)

    def _force(self, sequence: Sequence) -> Appending:
        """Take the tokens that can only follow as if they were drawn; the next step computes them together."""
        for certain in self._drawing.certain(sequence):
            ended = yield from self._append(sequence, certain)
            if ended:
                return True
        return False

    def _append(self, sequence: Sequence, drawn: Drawn) -> Appending:
        """One more token of an answer, and what it makes certain."""
        job = sequence.job
        sequence.tokens.append(drawn.token)
        sequence.completion_tokens += 1
        job.completion_tokens += 1
        self._tally.completion_tokens += 1
        for event in sequence.output.push(drawn.token, self._model.piece(drawn.token), drawn.logprob):
            yield job.id, event
        reason = self._ending(sequence)
        if reason:
            yield from self._finish(sequence, reason)
        return reason is not None

    @staticmethod
    def _ending(sequence: Sequence) -> FinishReason | None:
        if sequence.output.hit_stop_string or (sequence.constraint and sequence.constraint.is_complete):
            return "stop"
        return "length" if sequence.reached_limit else None

    def _finish(self, sequence: Sequence, reason: FinishReason) -> Iterator[tuple[int, Event]]:
        job = sequence.job
        if sequence.slot is not None:
            self._settle_draft(sequence, sequence.slot)
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
        """What was said: pictures are not among it, since there are no tokens for them."""
        return tuple(without_media(job.sequences[0].tokens)) if job.request.return_context else ()

    def _fail(self, job: GenerationJob, error: EngineError) -> Iterator[tuple[int, Event]]:
        self.cancel(job.id)
        yield job.id, Failed(code=error.code, message=error.message, param=error.param)

    def _fail_all(self, error: EngineError) -> Iterator[tuple[int, Event]]:
        """After a failed decode the state of no sequence can be trusted."""
        for job in list(self._jobs.values()):
            yield from self._fail(job, error)
        self._slots.clear_all()
