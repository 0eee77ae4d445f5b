"""Owns the way from texts to vectors and to scores: a context of its own, batches across requests. Must not know generation."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from engine.config import LoadParams
from engine.errors import EngineError
from engine.events import Admitted, Event, Failed
from engine.llama.adapters import read_control_vector
from engine.llama.batch import Batch
from engine.llama.context import POOLING_FROM_MODEL, POOLING_NONE, Context, ContextParams
from engine.llama.library import LlamaError
from engine.llama.model import Model
from engine.memory import lacking_memory
from engine.request import EmbeddingRequest, RerankRequest
from engine.worker.adapter_turns import AdapterTurns
from engine.worker.adapters import Adapters
from engine.worker.fairness import FairShare
from engine.worker.pacing import StepPace
from engine.worker.pooling_inputs import embedding_inputs, rerank_inputs
from engine.worker.pooling_jobs import EmbeddingJob, Output, PoolingJob, RerankJob, Turn, next_turns

_SEQUENCES = 64
_DEFAULT_TOKENS = 2048
"""Most tokens of one input where no context size is set: an encoder takes an input in one pass, whose buffers grow with it."""
_PROCESSOR_TOKENS = 256
"""An encoder's attention looks at the whole batch: on a processor 512 tokens were measured to take 5 % longer than twice 256."""


class Embedder:
    """Embeds, or ranks, with one model. Its context is made at the first request: a generating model seldom gets one."""

    def __init__(
        self,
        model: Model,
        params: LoadParams,
        adapters: Adapters,
        *,
        answers_run: Callable[[], bool],
        cell_bytes: int = 0,
    ) -> None:
        """`params.ctx_size_tokens` 0: what the model was trained for, at most 2048 or what requests asked for. `answers_run`: whether
        answers of this model wait for the end of a step; it is then kept to `params.target_step_seconds`. `cell_bytes`: what a token
        takes in a KV cache in this machine's memory; 0 where that is not known."""
        self._cell_bytes = cell_bytes
        self._model = model
        self._params = params
        self._adapters = adapters
        self._answers_run = answers_run
        wanted = params.ctx_size_tokens or max(_DEFAULT_TOKENS, params.least_input_tokens)
        self._tokens = min(model.context_length, wanted)
        # Of a text that a model reads from left to right, only the last token's state has seen all of it.
        self._takes_last_token = model.is_causal and model.pooling in ("none", "last", "rank")
        at_once = params.micro_batch_tokens if model.gpu_layers or self._takes_last_token else _PROCESSOR_TOKENS
        self._pace = StepPace(target_seconds=params.target_step_seconds, batch_tokens=min(self._tokens, at_once))
        self._context: Context | None = None
        self._batch: Batch | None = None
        self._jobs: deque[PoolingJob] = deque()
        self._adapter_turns = AdapterTurns()
        self._share = FairShare()

    def __repr__(self) -> str:
        return f"<Embedder {len(self._jobs)} requests>"

    def close(self) -> None:
        """Free the context."""
        if self._context:
            self._context.close()

    @property
    def limit_tokens(self) -> int:
        """The most tokens of one input."""
        return self._tokens

    @property
    def is_idle(self) -> bool:
        """Whether a step would do nothing."""
        return not self._jobs

    def prepare(self, request_id: int, request: EmbeddingRequest | RerankRequest) -> PoolingJob:
        """The job for a request. Safe beside decoding. EngineError says what the model can't do, or names the input at fault."""
        job = self._prepared(request_id, request)
        job.adapters = self._adapters.chosen(request.lora)
        return job

    def _prepared(self, request_id: int, request: EmbeddingRequest | RerankRequest) -> PoolingJob:
        if isinstance(request, RerankRequest):
            relevant = self._relevant_class()
            inputs = rerank_inputs(self._model, request, self._tokens)
            return RerankJob(request_id, inputs, relevant, request.tenant)
        self._check_embedding(request)
        return EmbeddingJob(request_id, embedding_inputs(self._model, request, self._tokens), request)

    def add(self, job: PoolingJob) -> None:
        """Queue a prepared request."""
        self._share.join(job.tenant, {other.tenant for other in self._jobs})
        self._jobs.append(job)

    def cancel(self, request_id: int) -> None:
        """Forget a request."""
        self._jobs = deque(job for job in self._jobs if job.id != request_id)

    def step(self) -> Iterator[tuple[int, Event]]:
        """Compute one batch, in which every request that waits has its share as far as they fit."""
        in_turn = self._adapter_turns.of(self._jobs)
        room = self._pace.prompt_tokens(int(self._answers_run()))
        waiting = [job for job in in_turn if job.waits]
        turns = next_turns(in_turn, self._share, room_tokens=room, most=_SEQUENCES)
        self._jobs.rotate(-1)  # whose long input found no room in this batch is sooner or later the first of one
        endings: dict[int, Event] = {}
        try:
            if turns:
                self._compute(turns)
        except EngineError as error:
            failed = Failed(code=error.code, message=error.message, param=error.param)
            endings.update((turn.job.id, failed) for turn in turns)
        else:
            endings.update((job.id, job.result()) for job in self._jobs if job.is_complete)
        self._jobs = deque(job for job in self._jobs if job.id not in endings)
        yield from ((job.id, Admitted()) for job in waiting if not job.waits)
        yield from endings.items()

    def _check_embedding(self, request: EmbeddingRequest) -> None:
        if self._model.pooling == "rank":
            raise EngineError("not_supported_by_model", "this model ranks texts; it does not embed them", param="model")
        length = self._model.embedding_length
        if request.dimensions is not None and request.dimensions > length:
            raise EngineError(
                "invalid_request",
                f"{request.dimensions} dimensions were asked for, but this model's vectors have {length}",
                param="dimensions",
            )

    def _relevant_class(self) -> int | None:
        """Which output says that a document answers the query; None where the model has a single one."""
        if self._model.pooling != "rank":
            raise EngineError("not_supported_by_model", "this model does not rank texts", param="model")
        labels = [label.lower() for label in self._model.class_labels]
        if len(labels) == 1:
            return None
        if "yes" in labels:
            return labels.index("yes")
        message = f"this model tells {', '.join(labels)} apart; it does not rank texts"
        raise EngineError("not_supported_by_model", message, param="model")

    def _compute(self, turns: Sequence[Turn]) -> None:
        """Compute the inputs of one batch and give each job what is its own."""
        context, batch = self._opened()
        inputs = [turn.tokens for turn in turns]
        begun = time.monotonic()
        context.forget_all()
        context.apply(turns[0].job.adapters)
        try:
            outputs = (self._last_states if self._takes_last_token else _pooled)(context, batch, inputs)
        except LlamaError as error:
            raise EngineError("internal", f"computing the embeddings failed: {error}") from error
        for turn, output in zip(turns, outputs, strict=True):
            turn.job.receive(output)
        tokens = sum(map(len, inputs))
        self._pace.note(answer_tokens=0, prompt_tokens=tokens, seconds=time.monotonic() - begun)

    @staticmethod
    def _last_states(context: Context, batch: Batch, inputs: Sequence[Sequence[int]]) -> list[Output]:
        """What comes of the last tokens: llama.cpp computes an output, vocabulary and all, of each row of a batch that yields
        embeddings, so the tokens before the last go first, without."""
        context.want_embeddings(False)
        if _fill(batch, inputs, slice(None, -1), outputs=False):
            context.decode(batch)
        context.want_embeddings(True)
        _fill(batch, inputs, slice(-1, None), outputs=True)
        context.decode(batch)
        read = context.token_embedding if context.pooling == POOLING_NONE else context.embedding
        return [read(number) for number in range(len(inputs))]

    def _opened(self) -> tuple[Context, Batch]:
        if self._context is None:
            lacking = lacking_memory(self._tokens, self._cell_bytes)
            if lacking:
                raise EngineError("model_load_failed", f"there is no context to embed with: {lacking}")
            try:
                self._context = Context(self._model, self._context_params())
                if self._params.steering.vectors:
                    self._context.steer(read_control_vector(self._model, self._params.steering))
            except LlamaError as error:
                raise EngineError("internal", str(error)) from error
            self._batch = Batch(self._context.batch_tokens)
        assert self._batch is not None
        return self._context, self._batch

    def _context_params(self) -> ContextParams:
        """Pooling by llama.cpp needs each input in one pass, and an output of every token; the last token's state needs neither."""
        last = self._takes_last_token
        from_model = not last or self._model.pooling == "rank"
        return ContextParams(
            ctx_size_tokens=self._tokens,
            sequences=_SEQUENCES,
            batch_tokens=self._tokens,
            micro_batch_tokens=min(self._tokens, self._params.micro_batch_tokens) if last else self._tokens,
            threads=self._params.threads,
            batch_threads=self._params.batch_threads,
            attention=self._params.attention,
            rope=self._params.rope,
            outputs=_SEQUENCES if last else 0,
            embeddings=True,
            pooling=POOLING_FROM_MODEL if from_model else POOLING_NONE,
        )


def _pooled(context: Context, batch: Batch, inputs: Sequence[Sequence[int]]) -> list[Output]:
    """What llama.cpp pools of each input."""
    _fill(batch, inputs, slice(None), outputs=True)
    context.decode(batch)
    return [context.embedding(sequence) for sequence in range(len(inputs))]


def _fill(batch: Batch, inputs: Sequence[Sequence[int]], part: slice, *, outputs: bool) -> int:
    """Put this part of each input into the batch, each a sequence of its own; the number of rows."""
    batch.clear()
    for sequence, tokens in enumerate(inputs):
        start, end, _ = part.indices(len(tokens))
        batch.add(tokens[start:end], position=start, sequence=sequence, output_from=0 if outputs else end - start)
    return len(batch)
