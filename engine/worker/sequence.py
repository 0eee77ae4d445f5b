"""Owns the state of one answer while it is generated, and of the request it belongs to. Must not know how steps are planned."""

import time
from contextlib import ExitStack

from engine.events import Event, Timings, TokenLogprob, Usage
from engine.llama.adapters import NO_ADAPTERS, AppliedAdapters
from engine.llama.constraint import Constraint
from engine.llama.sampler import Sampler
from engine.request import GenerationRequest
from engine.worker.guesser import Guesser, Record
from engine.worker.media_places import NO_MEDIA, MediaPlaces, PlacedSpan
from engine.worker.output import AnswerOutput
from engine.worker.reasoning_budget import ReasoningBudget
from engine.worker.slots import Slot

_FEW_TOKENS = 32
"""The most pending tokens of an answer that are computed like one: more are as much work as a part of a prompt."""

_DRAFT_MODEL_HOPE = 0.7


class Sequence:
    """One answer: `tokens` are known (prompt, then drawn ones), of which the first `computed` have their state in `slot`.

    Generation is nothing but computed trying to catch up with known, and one more token known whenever it has.
    """

    def __init__(
        self,
        job: "GenerationJob",
        index: int,
        *,
        sampler: Sampler,
        constraint: Constraint | None,
        output: AnswerOutput,
        reasoning_budget: ReasoningBudget | None = None,
    ) -> None:
        self.job = job
        self.index = index
        self.tokens = list(job.prompt_tokens)
        self.slot: Slot | None = None
        self.sampler = sampler
        self.constraint = constraint
        self.output = output
        self.reasoning_budget = reasoning_budget
        self.guesser: Guesser | None = None
        self.known_before_draft: int | None = None
        self.draft_model_record = Record(hoped_share=_DRAFT_MODEL_HOPE)
        self.completion_tokens = 0
        self.cumulative_logprob = 0.0
        self.prompt_logprobs: list[TokenLogprob] = []
        self.is_prompt_scored = False
        self.span_rows = 0
        """How many vectors of the span that is next are computed: its positions count as computed when all are."""

    def __repr__(self) -> str:
        return f"{self.job.id}.{self.index}[{self.computed}/{len(self.tokens)}]"

    @property
    def computed(self) -> int:
        """Number of tokens whose state is computed."""
        return len(self.slot.tokens) if self.slot else 0

    @property
    def pending(self) -> int:
        """Number of known tokens whose state is not computed."""
        return len(self.tokens) - self.computed

    @property
    def next_span(self) -> PlacedSpan | None:
        """The vectors that stand where the next token would."""
        return self.job.media.at(self.computed) if self.job.media else None

    @property
    def tenant(self) -> str:
        """For whom it is."""
        return self.job.request.tenant

    @property
    def is_generating(self) -> bool:
        """Whether only its last few tokens are pending: the one just drawn, and those that could only follow it."""
        pending = self.pending
        return pending == 1 or (pending <= _FEW_TOKENS and self.computed >= len(self.job.prompt_tokens))

    @property
    def scores_prompt(self) -> bool:
        """Whether every prompt token must be computed here, for its log probability: once, also if the slot is lost later."""
        return not self.is_prompt_scored and self.job.request.echo and self.job.request.logprobs is not None

    @property
    def reuses_prefixes(self) -> bool:
        """Whether the prompt may come from another's computing.

        A prompt computed in other batches has other rounding errors, now and then enough to draw another token: with a seed, which
        promises the same answer again, the first answer computes its prompt itself, and the others share that. A prompt that ends with a
        picture has to have it computed, all of it, for what comes next: a part of it is no prefix.
        """
        sampling = self.job.request.sampling
        is_reproducible = sampling.seed is not None and sampling.temperature > 0
        ends_with_media = self.job.prompt_tokens[-1] < 0
        return not (self.scores_prompt or ends_with_media) and (self.index > 0 or not is_reproducible)

    @property
    def adapters_key(self) -> str:
        """Only sequences of the same key may be computed in one step."""
        return self.job.adapters.key

    @property
    def salt(self) -> str:
        """Only sequences of the same salt may share what was computed for them."""
        return f"{self.job.request.cache_salt}\0{self.job.adapters.key}"

    @property
    def reached_limit(self) -> bool:
        """Whether no further token may be drawn."""
        return len(self.tokens) >= self.job.limit_tokens


class GenerationJob:
    """A generation request at work: its prompt, its answers, its counters. `limit_tokens` bounds prompt and answer together, in positions.

    `stops`: lengths of the prompt at which its state is worth keeping, where a memory can't be cut back to them later. `unused`: as of
    Started.
    """

    def __init__(
        self,
        request_id: int,
        request: GenerationRequest,
        prompt_tokens: list[int],
        limit_tokens: int,
        adapters: AppliedAdapters = NO_ADAPTERS,
        media: MediaPlaces = NO_MEDIA,
    ) -> None:
        self.id = request_id
        self.request = request
        self.prompt_tokens = prompt_tokens
        self.limit_tokens = limit_tokens
        self.sequences: list[Sequence] = []
        self.stops: tuple[int, ...] = ()
        self.unused: tuple[str, ...] = ()
        self.adapters = adapters
        self.media = media
        self.unfinished = 0
        self.early_events: list[tuple[int, Event]] | None = None
        self.resources = ExitStack()
        self.completion_tokens = 0
        self.accepted_prediction_tokens = 0
        self.rejected_prediction_tokens = 0
        self.cached_tokens: int | None = None
        self._received_ns = time.monotonic_ns()
        self._first_compute_ns: int | None = None
        self._first_token_ns: int | None = None

    def note_admitted(self, cached_tokens: int) -> None:
        """The first sequence got its slot: from here on the prompt is computed, but for `cached_tokens` of it and what follows it."""
        if self.cached_tokens is None:
            cached = min(cached_tokens, len(self.prompt_tokens))
            self.cached_tokens = cached + self.media.extra_rows_before(cached)
            self._first_compute_ns = time.monotonic_ns()

    def note_token(self) -> None:
        """A token was drawn."""
        if self._first_token_ns is None:
            self._first_token_ns = time.monotonic_ns()

    @property
    def prompt_rows(self) -> int:
        """The prompt's tokens, and the vectors in it: a picture may have more of them than it has positions."""
        return len(self.prompt_tokens) + self.media.extra_rows

    @property
    def usage(self) -> Usage:
        """Token counts so far."""
        return Usage(
            prompt_tokens=self.prompt_rows,
            image_tokens=self.media.rows(sound=False),
            audio_tokens=self.media.rows(sound=True),
            completion_tokens=self.completion_tokens,
            cached_tokens=self.cached_tokens or 0,
            reasoning_tokens=sum(sequence.output.reasoning_tokens for sequence in self.sequences),
            accepted_prediction_tokens=self.accepted_prediction_tokens,
            rejected_prediction_tokens=self.rejected_prediction_tokens,
        )

    @property
    def timings(self) -> Timings:
        """Durations up to now. A request without a drawn token spent all its time on the prompt; encoding what is in it counts as that."""
        now = time.monotonic_ns()
        started = self._first_compute_ns or now
        first_token = self._first_token_ns or now
        encoding = self.media.encoding_ns
        return Timings(
            prompt_ns=first_token - started + encoding,
            generation_ns=now - first_token,
            total_ns=now - self._received_ns + encoding,
        )

    def close(self) -> None:
        """Free the samplers."""
        self.resources.close()
