"""A place in a worker for one request: taken from the pool, used once, given back once.

Owns the pairing of the two, so that no way out of a request can forget either. Must not know how a place is found.
"""

import time
from collections.abc import Callable

from engine.errors import EngineError, ErrorCode
from engine.events import (
    Admitted,
    ApplyTemplateResult,
    DetokenizeResult,
    EmbeddingResult,
    Event,
    Finished,
    Preparing,
    ReasoningDelta,
    RerankResult,
    Started,
    TextDelta,
    TokenizeResult,
    ToolCallDelta,
)
from engine.host.backlog import Held
from engine.host.connection import Connection, OpenRequest
from engine.host.ledger import CANCELLED, FINISHED, Ledger
from engine.host.worker_state import Worker
from engine.protocol import LoadedModel
from engine.request import Request

_ENDS = {Finished, EmbeddingResult, RerankResult, TokenizeResult, DetokenizeResult, ApplyTemplateResult}


class Lease:
    """A place in a ready worker for one request. Whoever has it closes it. `held`: its part of the backlog, until it is computed."""

    def __init__(
        self, worker: Worker, load_ns: int, give_back: Callable[[Worker], None], ledger: Ledger, held: Held | None
    ) -> None:
        assert worker.connection is not None
        self.load_ns = load_ns
        self._connection: Connection = worker.connection
        self._worker = worker
        self._give_back = give_back
        self._request: OpenRequest | None = None
        self._open = True
        self._ledger = ledger
        self._held = held
        self._begun = time.monotonic() - load_ns / 1e9
        self._awaits_first_token = True
        self._outcome = CANCELLED
        self._read_ahead: Event | None = None

    @property
    def model(self) -> LoadedModel:
        """What the worker said of its model."""
        return self._connection.model

    @property
    def worker_name(self) -> str:
        """The name of the model that the worker has loaded."""
        return self._worker.name

    def submit(self, request: Request) -> None:
        """Send the lease's one request. Raises EngineError where the worker has died."""
        assert self._request is None
        self._request = self._connection.submit(request)

    async def admitted(self) -> None:
        """Wait until the request has its place in the model. Whatever other event comes first says that too, and is not lost."""
        event = await self.next_event()
        if not isinstance(event, Admitted):
            self._read_ahead = event

    async def next_event(self) -> Event | None:
        """The request's next event; None once the lease is closed. Raises EngineError where the request has failed."""
        assert self._request is not None
        if self._read_ahead is not None:
            ahead, self._read_ahead = self._read_ahead, None
            return ahead
        try:
            event = await self._request.next_event()
        except EngineError as error:
            self._outcome = error.code
            raise
        self._note(event)
        return event

    def fail(self, code: ErrorCode) -> None:
        """Count it as failed so, however it is closed."""
        self._outcome = code

    def close(self) -> None:
        """Cancel the request unless it has ended, and give the place back. Idempotent."""
        if self._open:
            self._open = False
            self._wait_no_more()
            if self._request is not None:
                self._request.close()
                self._ledger.note_outcome(self._outcome)
            self._give_back(self._worker)

    def _wait_no_more(self) -> None:
        if self._held is not None:
            self._held.release()

    def _note(self, event: Event | None) -> None:
        if not isinstance(event, Preparing | Started):
            self._wait_no_more()
        if isinstance(event, Finished):
            self._ledger.note_finished(event, self._seconds)
        if self._awaits_first_token and isinstance(event, TextDelta | ReasoningDelta | ToolCallDelta):
            self._awaits_first_token = False
            self._ledger.note_first_token(self._seconds)
        if type(event) in _ENDS:
            self._outcome = FINISHED

    @property
    def _seconds(self) -> float:
        """How long ago the request came."""
        return time.monotonic() - self._begun
