"""Owns requests that are answered by one result for each of their inputs, vectors or scores, and who comes into the next batch.

A batch takes from the tenant for which least was done, of its requests from each in turn. Must not know how inputs become tokens, nor
what computes them.
"""

import math
import time
from abc import ABC, abstractmethod
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.events import EmbeddingResult, RerankResult, Timings, Usage
from engine.llama.adapters import NO_ADAPTERS
from engine.request import EmbeddingRequest
from engine.worker.fairness import FairShare

Output = NDArray[np.float32]


class PoolingJob(ABC):
    """A request at work: the token ids of its inputs, and what was computed of those that had their turn."""

    def __init__(self, request_id: int, inputs: Sequence[Sequence[int]], tenant: str = "") -> None:
        self.id = request_id
        self.tenant = tenant
        self.inputs = inputs
        self.adapters = NO_ADAPTERS
        self._outputs: list[Output] = []
        self._begun = 0
        self._received_ns = time.monotonic_ns()

    @property
    def adapters_key(self) -> str:
        """Only requests of the same key may be computed in one batch."""
        return self.adapters.key

    @property
    def upcoming(self) -> Sequence[int] | None:
        """The input whose turn it is next; None where all have had theirs."""
        return self.inputs[self._begun] if self._begun < len(self.inputs) else None

    @property
    def waits(self) -> bool:
        """Whether nothing of it has been computed."""
        return self._begun == 0

    def take(self) -> "Turn":
        """The next input's turn has come."""
        self._begun += 1
        return Turn(self, self.inputs[self._begun - 1])

    def receive(self, output: Output) -> None:
        """What was computed of the input that was taken first of those still at work."""
        self._outputs.append(output)

    @property
    def is_complete(self) -> bool:
        """Whether every input has been computed."""
        return len(self._outputs) == len(self.inputs)

    def result(self) -> EmbeddingResult | RerankResult:
        """The answer, once the job is complete."""
        spent = time.monotonic_ns() - self._received_ns
        usage = Usage(prompt_tokens=sum(map(len, self.inputs)))
        return self._answer(self._outputs, usage, Timings(prompt_ns=spent, total_ns=spent))

    @abstractmethod
    def _answer(self, outputs: list[Output], usage: Usage, timings: Timings) -> EmbeddingResult | RerankResult:
        """The answer that the outputs, in the order of their inputs, amount to."""


class Turn(NamedTuple):
    """An input that a batch computes."""

    job: PoolingJob
    tokens: Sequence[int]


class EmbeddingJob(PoolingJob):
    """Its outputs are vectors."""

    def __init__(self, request_id: int, inputs: Sequence[Sequence[int]], request: EmbeddingRequest) -> None:
        super().__init__(request_id, inputs, request.tenant)
        self._request = request

    def _answer(self, outputs: list[Output], usage: Usage, timings: Timings) -> EmbeddingResult:
        vectors = tuple(_finished(vector, self._request).astype("<f4").tobytes() for vector in outputs)
        return EmbeddingResult(vectors=vectors, usage=usage, timings=timings)


class RerankJob(PoolingJob):
    """Its outputs are what the model's classification head says of query and document. `relevant`: which of several classes means
    that the document answers the query; None where there is one output, a log-odds."""

    def __init__(
        self, request_id: int, inputs: Sequence[Sequence[int]], relevant: int | None, tenant: str = ""
    ) -> None:
        super().__init__(request_id, inputs, tenant)
        self._relevant = relevant

    def _answer(self, outputs: list[Output], usage: Usage, timings: Timings) -> RerankResult:
        scores = tuple(
            _probability(float(output[0])) if self._relevant is None else float(output[self._relevant])
            for output in outputs
        )
        return RerankResult(scores=scores, usage=usage, timings=timings)


def next_turns(jobs: Iterable[PoolingJob], share: FairShare, *, room_tokens: int, most: int) -> list[Turn]:
    """The inputs of one batch, as long as they fit: always of the tenant for which least was done, one of each of its jobs in turn, in the
    jobs' order. The first fits always, so that an input longer than `room_tokens` gets a batch to itself."""
    turns: list[Turn] = []
    waiting: defaultdict[str, deque[PoolingJob]] = defaultdict(deque)
    for job in jobs:
        waiting[job.tenant].append(job)
    while waiting and len(turns) < most:
        tenant = min(waiting, key=share.of)
        job = waiting[tenant].popleft()
        tokens = job.upcoming
        if tokens is not None and not (turns and len(tokens) > room_tokens):
            turns.append(job.take())
            share.charge(tenant, len(tokens))
            room_tokens -= len(tokens)
            waiting[tenant].append(job)
        elif not waiting[tenant]:
            del waiting[tenant]
    return turns


def _finished(vector: Output, request: EmbeddingRequest) -> Output:
    """Cut to the wanted dimensions, then brought to unit length: a cut vector is shorter than one."""
    cut = vector[: request.dimensions]
    if not request.normalize:
        return cut
    norm = float(np.linalg.norm(cut))
    return cut / norm if norm else cut


def _probability(log_odds: float) -> float:
    """Between 0 and 1; written so that no exponential overflows."""
    tail = math.exp(-abs(log_odds))
    return 1 / (1 + tail) if log_odds >= 0 else tail / (1 + tail)
