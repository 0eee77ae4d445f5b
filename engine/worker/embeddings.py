"""Owns the way from embedding requests to vectors: a context of its own, batches across inputs. Must not know generation."""

import itertools
import time
from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from engine.config import LoadParams
from engine.errors import EngineError
from engine.events import EmbeddingResult, Event, Failed, Timings, Usage
from engine.llama.batch import Batch
from engine.llama.context import POOLING_FROM_MODEL, POOLING_NONE, Context, ContextParams
from engine.llama.library import LlamaError
from engine.llama.model import Model
from engine.request import EmbeddingRequest

_SEQUENCES = 64
_MICRO_BATCH_TOKENS = 512
_DEFAULT_TOKENS = 2048
"""Most tokens of one input where no context size is set: an encoder takes an input in one pass, whose buffers grow with it."""


class EmbeddingJob:
    """An embedding request at work: the token ids of its inputs, and the vectors found so far."""

    def __init__(self, request_id: int, request: EmbeddingRequest, inputs: list[list[int]]) -> None:
        self.id = request_id
        self.request = request
        self.inputs = inputs
        self.vectors: list[bytes] = []
        self._received_ns = time.monotonic_ns()

    @property
    def result(self) -> EmbeddingResult:
        """The answer, once every input has its vector."""
        spent = time.monotonic_ns() - self._received_ns
        usage = Usage(prompt_tokens=sum(map(len, self.inputs)))
        return EmbeddingResult(
            vectors=tuple(self.vectors), usage=usage, timings=Timings(prompt_ns=spent, total_ns=spent)
        )


class Embedder:
    """Embeds with one model. Its context is made at the first request: a generating model seldom gets one."""

    def __init__(self, model: Model, params: LoadParams) -> None:
        """`params.ctx_size_tokens` 0: what the model was trained for, at most 2048."""
        self._model = model
        self._params = params
        self._tokens = min(model.context_length, params.ctx_size_tokens or _DEFAULT_TOKENS)
        # Of a text that a model reads from left to right, only the last token's state has seen all of it.
        self._takes_last_token = model.is_causal and model.pooling in ("none", "last")
        self._context: Context | None = None
        self._batch: Batch | None = None
        self._jobs: deque[EmbeddingJob] = deque()

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

    def prepare(self, request_id: int, request: EmbeddingRequest) -> EmbeddingJob:
        """The job for a request. Safe beside decoding. EngineError names the input at fault."""
        length = self._model.embedding_length
        if request.dimensions is not None and request.dimensions > length:
            raise EngineError(
                "invalid_request",
                f"{request.dimensions} dimensions were asked for, but this model's vectors have {length}",
                param="dimensions",
            )
        return EmbeddingJob(
            request_id, request, [self._input_tokens(request, number) for number in range(len(request.inputs))]
        )

    def add(self, job: EmbeddingJob) -> None:
        """Queue a prepared request."""
        self._jobs.append(job)

    def cancel(self, request_id: int) -> None:
        """Forget a request."""
        self._jobs = deque(job for job in self._jobs if job.id != request_id)

    def step(self) -> Iterator[tuple[int, Event]]:
        """Compute one batch of inputs for the request that waits longest."""
        job = self._jobs[0]
        try:
            job.vectors.extend(self._vectors(job))
        except EngineError as error:
            self._jobs.popleft()
            yield job.id, Failed(code=error.code, message=error.message, param=error.param)
            return
        if len(job.vectors) == len(job.inputs):
            self._jobs.popleft()
            yield job.id, job.result

    def _input_tokens(self, request: EmbeddingRequest, number: int) -> list[int]:
        given = request.inputs[number]
        limit = min(self._tokens, request.context_limit_tokens or self._tokens)
        if isinstance(given, str):
            tokens = self._model.tokenize(given, add_special=True, parse_special=True)
        else:
            tokens = self._checked(given, number)
        if not tokens:
            raise EngineError(
                "invalid_request", "the input has no tokens; expected at least one", param=f"input[{number}]"
            )
        if len(tokens) <= limit:
            return tokens
        if not request.truncate:
            raise EngineError(
                "context_length_exceeded",
                f"the input has {len(tokens)} tokens, but this model embeds at most {limit}",
                param=f"input[{number}]",
            )
        return self._cut(tokens, limit)

    def _cut(self, tokens: list[int], limit: int) -> list[int]:
        """The first `limit` tokens; the separator that an encoder expects at the end stays there."""
        ends = {self._model.separator_token, *self._model.end_tokens}
        return [*tokens[: limit - 1], tokens[-1]] if tokens[-1] in ends else tokens[:limit]

    def _checked(self, tokens: tuple[int, ...], number: int) -> list[int]:
        size = self._model.vocabulary_size
        wrong = next((t for t in tokens if not 0 <= t < size), None)
        if wrong is None:
            return list(tokens)
        raise EngineError(
            "invalid_request",
            f"token id {wrong} is not in the model's vocabulary; expected 0 to {size - 1}",
            param=f"input[{number}]",
        )

    def _vectors(self, job: EmbeddingJob) -> list[bytes]:
        """The vectors of as many of the job's next inputs as fit one batch."""
        context, batch = self._opened()
        inputs = _first_that_fit(job.inputs[len(job.vectors) :], batch.capacity)
        context.forget_all()
        try:
            vectors = (self._last_states if self._takes_last_token else _pooled)(context, batch, inputs)
        except LlamaError as error:
            raise EngineError("internal", f"computing the embeddings failed: {error}") from error
        return [_finished(vector, job.request).tobytes() for vector in vectors]

    @staticmethod
    def _last_states(context: Context, batch: Batch, inputs: list[list[int]]) -> list[NDArray[np.float32]]:
        """The states of the last tokens: llama.cpp computes an output, vocabulary and all, of each row of a batch that yields
        embeddings, so the tokens before the last go first, without."""
        context.want_embeddings(False)
        if _fill(batch, inputs, slice(None, -1), outputs=False):
            context.decode(batch)
        context.want_embeddings(True)
        _fill(batch, inputs, slice(-1, None), outputs=True)
        context.decode(batch)
        return [context.token_embedding(row) for row in range(len(inputs))]

    def _opened(self) -> tuple[Context, Batch]:
        if self._context is None:
            self._context = self._open()
            self._batch = Batch(self._context.batch_tokens)
        assert self._batch is not None
        return self._context, self._batch

    def _open(self) -> Context:
        if self._model.pooling == "rank":
            raise EngineError("not_supported_by_model", "this model ranks texts; it does not embed them", param="model")
        try:
            return Context(self._model, self._context_params())
        except LlamaError as error:
            raise EngineError("internal", str(error)) from error

    def _context_params(self) -> ContextParams:
        """Pooling by llama.cpp needs each input in one pass, and an output of every token; the last token's state needs neither."""
        last = self._takes_last_token
        return ContextParams(
            ctx_size_tokens=self._tokens,
            sequences=_SEQUENCES,
            batch_tokens=self._tokens,
            micro_batch_tokens=min(self._tokens, _MICRO_BATCH_TOKENS) if last else self._tokens,
            threads=self._params.threads,
            batch_threads=self._params.batch_threads,
            attention=self._params.attention,
            rope=self._params.rope,
            outputs=_SEQUENCES if last else 0,
            embeddings=True,
            pooling=POOLING_NONE if last else POOLING_FROM_MODEL,
        )


def _first_that_fit(inputs: list[list[int]], capacity: int) -> list[list[int]]:
    """As many inputs as one batch takes; one always does."""
    ends = itertools.accumulate(map(len, inputs))
    return [tokens for tokens, end in zip(inputs[:_SEQUENCES], ends, strict=False) if end <= capacity]


def _pooled(context: Context, batch: Batch, inputs: list[list[int]]) -> list[NDArray[np.float32]]:
    """What llama.cpp pools of each input."""
    _fill(batch, inputs, slice(None), outputs=True)
    context.decode(batch)
    return [context.embedding(sequence) for sequence in range(len(inputs))]


def _fill(batch: Batch, inputs: list[list[int]], part: slice, *, outputs: bool) -> int:
    """Put this part of each input into the batch, each a sequence of its own; the number of rows."""
    batch.clear()
    for sequence, tokens in enumerate(inputs):
        start, end, _ = part.indices(len(tokens))
        batch.add(tokens[start:end], position=start, sequence=sequence, output_from=0 if outputs else end - start)
    return len(batch)


def _finished(vector: NDArray[np.float32], request: EmbeddingRequest) -> NDArray[np.float32]:
    """Cut to the wanted dimensions, then brought to unit length: a cut vector is shorter than one."""
    cut = vector[: request.dimensions]
    if not request.normalize:
        return cut
    norm = float(np.linalg.norm(cut))
    return (cut / norm).astype("<f4") if norm else cut
