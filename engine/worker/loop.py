"""Owns the life of a worker: receive, then one step, then emit, until the host closes the connection.

One thread decodes. One reads frames, two prepare requests and one those with pictures or sound (media_turns), so that neither a long
template, nor a large schema, nor an encoder holds up a running stream; all meet in one inbox. Must not know how a step works.
"""

import itertools
import logging
import queue
import socket
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from engine.errors import EngineError
from engine.events import ApplyTemplateResult, DetokenizeResult, Event, Failed, Preparing, TokenizeResult
from engine.protocol import (
    Cancel,
    Events,
    FrameReader,
    Ping,
    Pong,
    Submit,
    ToHost,
    decode_to_worker,
    encode,
    submitted_id,
)
from engine.request import (
    ApplyTemplateRequest,
    DetokenizeRequest,
    EmbeddingRequest,
    GenerationRequest,
    Request,
    RerankRequest,
    TokenizeRequest,
)
from engine.worker.loaded import LoadedWorker
from engine.worker.media_turns import MediaTurns, Steps, in_one_go
from engine.worker.pooling_jobs import PoolingJob
from engine.worker.sequence import GenerationJob

_log = logging.getLogger("worker")

_READ_BYTES = 1 << 20
_PREPARING_THREADS = 2
_EVENTS_PER_FRAME = 4
"""While the next tokens are drawn, one core has work: what was drawn is written to the clients by then, not beside the next step."""

Prepared = GenerationJob | PoolingJob | Event
"""What preparing a request makes of it: work, or at once its answer."""


class Loop:
    """Serves one connection with one loaded model."""

    def __init__(self, connection: socket.socket, worker: LoadedWorker) -> None:
        self._connection = connection
        self._worker = worker
        self._computing = [c for c in (worker.generator, worker.embedder) if c is not None]
        self._inbox: queue.SimpleQueue[Submit | Cancel | tuple[int, Prepared] | None] = queue.SimpleQueue()
        self._preparers = ThreadPoolExecutor(_PREPARING_THREADS, thread_name_prefix="prepare")
        self._preparing: set[int] = set()
        self._media_turns = MediaTurns(worker.tally, self._preparing.__contains__)
        self._sending = threading.Lock()

    def run(self) -> None:
        """Serve until the host closes the connection. Whatever ends it, the host hears of it before anything is waited for."""
        threading.Thread(target=self._read_frames, name="read", daemon=True).start()
        try:
            while self._receive():
                for computing in self._computing:
                    if not computing.is_idle:
                        with self._worker.tally.step():
                            self._emit(computing.step())
        finally:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
            self._preparers.shutdown(cancel_futures=True)
            self._media_turns.close()

    def _read_frames(self) -> None:
        """Put what the host sends into the inbox; None when it has gone, or sends what is no frame."""
        reader = FrameReader()
        try:
            while data := _received(self._connection):
                for body in reader.feed(data):
                    self._sort_in(body)
        finally:
            self._inbox.put(None)

    def _sort_in(self, body: bytes) -> None:
        """Put a frame into the inbox. A request with values of wrong types costs itself only."""
        try:
            frame = decode_to_worker(body)
        except ValueError as error:
            _log.error("a request can't be read: %s", error)
            request_id = submitted_id(body)
            self._preparing.add(request_id)
            self._inbox.put((request_id, Failed(code="internal", message="the worker can't read the request")))
        else:
            if isinstance(frame, Submit | Cancel):
                self._inbox.put(frame)
            elif isinstance(frame, Ping):
                self._answer(frame)

    def _answer(self, ping: Ping) -> None:
        """In the reading thread, so that the host can tell a long step from a worker that hangs."""
        activity = self._worker.activity() if ping.detailed else None
        self._send(Pong(step_age_seconds=self._worker.tally.step_age_seconds, activity=activity))

    def _receive(self) -> bool:
        """Handle all that has arrived; while there is nothing to compute, wait for it. False once the host has gone."""
        idle = all(computing.is_idle for computing in self._computing)
        try:
            item = self._inbox.get(block=idle)
            while True:
                if item is None:
                    return False
                self._handle(item)
                item = self._inbox.get_nowait()
        except queue.Empty:
            return True

    def _handle(self, item: Submit | Cancel | tuple[int, Prepared]) -> None:
        match item:
            case Submit():
                self._preparing.add(item.id)
                self._begin(item)
            case Cancel():
                self._preparing.discard(item.id)
                for computing in self._computing:
                    computing.cancel(item.id)
            case (request_id, prepared):
                self._start(request_id, prepared)

    def _begin(self, submitted: Submit) -> None:
        """Have a request prepared: in turn with others where that takes long, else as a whole."""
        request = submitted.request
        steps = self._prepare(submitted.id, request)
        if isinstance(request, GenerationRequest) and request.media:
            self._media_turns.submit(submitted.id, request.tenant, self._announced(submitted.id, steps))
        else:
            self._preparers.submit(in_one_go, steps)

    def _announced(self, request_id: int, steps: Steps[None]) -> Steps[None]:
        """With its first step a request's turn has come."""
        self._send(Events(events=((request_id, Preparing()),)))
        yield from steps

    def _prepare(self, request_id: int, request: Request) -> Steps[None]:
        """In a preparing thread: put the request's work, its answer or its failure into the inbox."""
        prepared: Prepared
        if request_id not in self._preparing:
            return  # cancelled before its turn
        try:
            prepared = yield from self._prepared(request_id, request)
        except EngineError as error:
            prepared = Failed(code=error.code, message=error.message, param=error.param)
        except Exception:  # noqa: BLE001 - whatever a request brings about costs that request only
            _log.exception("preparing request %d failed", request_id)
            prepared = Failed(code="internal", message="preparing the request failed")
        self._inbox.put((request_id, prepared))

    def _prepared(self, request_id: int, request: Request) -> Steps[Prepared]:
        worker = self._worker
        match request:
            case GenerationRequest():
                if worker.generator is None:
                    raise EngineError("not_supported_by_model", "this model can't generate", param="model")
                job = yield from worker.preparer.preparation(request_id, request)
                worker.generator.fetch_prefix(job)
                return job
            case EmbeddingRequest() | RerankRequest():
                return worker.embedder.prepare(request_id, request)
            case TokenizeRequest():
                return TokenizeResult(tokens=tuple(worker.preparer.text_tokens(request)))
            case DetokenizeRequest():
                return DetokenizeResult(text=worker.preparer.text(request.tokens))
            case ApplyTemplateRequest():
                return ApplyTemplateResult(prompt=worker.preparer.render(request.prompt))

    def _start(self, request_id: int, prepared: Prepared) -> None:
        """Hand prepared work to whoever computes it, unless the request was cancelled meanwhile."""
        wanted = request_id in self._preparing
        self._preparing.discard(request_id)
        match prepared:
            case GenerationJob():
                if wanted and self._worker.generator is not None:
                    self._emit(self._worker.generator.start(prepared))
                else:
                    prepared.close()
            case PoolingJob():
                if wanted:
                    self._worker.embedder.add(prepared)
            case _:
                if wanted:
                    self._emit([(request_id, prepared)])

    def _emit(self, events: Iterable[tuple[int, Event]]) -> None:
        """Send what a step produces, while it does."""
        remaining = iter(events)
        while collected := tuple(itertools.islice(remaining, _EVENTS_PER_FRAME)):
            with self._worker.tally.timing("emit"):
                self._send(Events(events=collected))

    def _send(self, frame: ToHost) -> None:
        """Several threads send, each whole frames."""
        with self._sending:
            send(self._connection, frame)


def send(connection: socket.socket, frame: ToHost) -> None:
    """Send a frame. A host that has gone is noticed by the reading thread."""
    try:
        connection.sendall(encode(frame))
    except OSError:
        _log.debug("the host has gone")


def _received(connection: socket.socket) -> bytes:
    """What arrives next; nothing once the host has gone, however it went."""
    try:
        return connection.recv(_READ_BYTES)
    except OSError:
        return b""
