"""The host's end of one worker: handshake, requests down, events up, and its death.

Owns the socket, the process and the requests that are open on it. Each of them ends exactly once, whatever happens to
the worker. Must not know which models there are, nor when one is loaded or ended.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Self, cast

import msgspec

from engine.activity import WorkerActivity
from engine.errors import EngineError
from engine.events import (
    Admitted,
    ChoiceFinished,
    Event,
    Preparing,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolCallDelta,
)
from engine.host.event_queue import EventQueue
from engine.host.process import WORKER_COMMAND, WorkerProcess
from engine.host.watchdog import Patience, Watchdog
from engine.protocol import (
    Cancel,
    Events,
    FrameReader,
    FrameTooLarge,
    Load,
    LoadedModel,
    LoadFailed,
    Ping,
    Pong,
    Ready,
    Submit,
    ToHost,
    ToWorker,
    decode_to_host,
    encode,
)
from engine.request import Request

logger = logging.getLogger(__name__)

_GO_ON = Preparing | Started | Admitted | TextDelta | ReasoningDelta | ToolCallDelta | ChoiceFinished
"""Events behind which others follow."""
_DEATH_SECONDS = 2.0


class Connection(asyncio.Protocol):
    """A worker that has a model loaded. `open()` makes one; `close()` ends it, and so does its own death; `ended` is
    done when process and socket are gone and every request has its ending."""

    def __init__(self, model_name: str, process: WorkerProcess, grace_seconds: float, patience: Patience) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._model_name = model_name
        self._process = process
        self._grace_seconds = grace_seconds
        self._transport: asyncio.WriteTransport | None = None
        self._frames = FrameReader()
        self._loaded: asyncio.Future[LoadedModel] = asyncio.get_running_loop().create_future()
        self._requests: dict[int, EventQueue] = {}
        self._next_id = 0
        self._fault: str | None = None
        self._closing: EngineError | None = None
        self._burial: asyncio.Task[None] | None = None
        self._watchdog = Watchdog(patience, lambda: self._send(Ping()), self._give_up)
        self._curious: list[asyncio.Future[WorkerActivity]] = []

    @classmethod
    async def open(
        cls,
        model_name: str,
        load: Load,
        *,
        command: tuple[str, ...] = WORKER_COMMAND,
        timeout_seconds: float,
        grace_seconds: float,
        patience: Patience,
    ) -> Self:
        """Start a worker and have it load. Raises EngineError model_load_failed; then, and when cancelled, nothing stays."""
        try:
            process, sock = await WorkerProcess.start(f"worker of {model_name}", command)
        except OSError as error:
            raise EngineError(
                "model_load_failed", f"no worker could be started for model {model_name!r}: {error}"
            ) from error
        self = cls(model_name, process, grace_seconds, patience)
        try:
            await asyncio.get_running_loop().create_unix_connection(lambda: self, sock=sock)
            await self._handshake(load, timeout_seconds)
        except BaseException:
            self.close(EngineError("model_load_failed", f"the model {model_name!r} was not loaded"), kill=True)
            if self._transport is None:
                sock.close()
                self.connection_lost(None)
            await asyncio.shield(self.ended)
            raise
        return self

    @property
    def model(self) -> LoadedModel:
        """What the worker said of the model."""
        return self._loaded.result()

    @property
    def alive(self) -> bool:
        """Whether requests can be sent: it is neither ending nor dead."""
        return self._closing is None and self._burial is None

    @property
    def has_died(self) -> bool:
        """Whether it ended by itself."""
        return self._burial is not None and self._closing is None

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self._process.pid

    def submit(self, request: Request) -> "OpenRequest":
        """Send a request down. Raises EngineError where the worker is ending or dead."""
        if self._closing is not None:
            raise self._closing.again()
        if not self.alive:
            raise EngineError("worker_died", f"the worker of model {self._model_name!r} has just died")
        self._next_id += 1
        queue = self._requests[self._next_id] = EventQueue()
        self._send(Submit(id=self._next_id, request=request))
        self._watchdog.watch(lambda: bool(self._requests))
        return OpenRequest(queue, self._next_id, self._cancel)

    async def activity(self, timeout_seconds: float) -> WorkerActivity | None:
        """What the worker does; None where it does not say so in time."""
        answer: asyncio.Future[WorkerActivity] = asyncio.get_running_loop().create_future()
        self._curious.append(answer)
        self._send(Ping(detailed=True))
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                return await answer
        return None

    def close(self, error: EngineError, *, kill: bool = False) -> None:
        """End the worker; requests that are still open fail with `error`. `ended` tells when it is over. Idempotent, and
        nothing to a worker that is dying by itself: its requests are told that."""
        if not self.alive:
            return
        self._closing = error
        self._fail_requests(error)
        if kill:
            self._process.kill()
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the socket is ready."""
        # Not isinstance: uvloop's transports are no subclasses of asyncio's.
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes from the worker."""
        try:
            for body in self._frames.feed(data):
                self._receive(decode_to_host(body))
        except (msgspec.DecodeError, FrameTooLarge) as error:
            logger.error("worker of %s: not a frame: %s", self._model_name, error)
            self._give_up("sent what is not a frame and was ended")

    def connection_lost(self, error: Exception | None) -> None:
        """asyncio: the socket is gone, by our doing or the worker's."""
        self._watchdog.stop()
        self._burial = asyncio.create_task(self._bury(), name=f"end of the worker of {self._model_name}")

    async def _handshake(self, load: Load, timeout_seconds: float) -> None:
        self._send(load)
        try:
            async with asyncio.timeout(timeout_seconds):
                await asyncio.shield(self._loaded)
        except TimeoutError:
            message = f"the model {self._model_name!r} was not loaded within {timeout_seconds:g} seconds"
            raise EngineError("model_load_failed", message) from None

    async def _bury(self) -> None:
        """See the process off, then tell everyone how it ended."""
        expected = self._closing is not None
        how = await self._process.wait(self._grace_seconds if expected else _DEATH_SECONDS)
        if not expected:
            self._mourn(self._fault or how)
        if not self._loaded.done():
            self._loaded.cancel()
        self.ended.set_result(None)

    def _mourn(self, how: str) -> None:
        """The worker died on us: log its last words, fail what was open."""
        logger.warning("the worker of model %s (pid %d) %s", self._model_name, self.pid, how)
        for line in self._process.last_lines:
            logger.warning("worker of %s: %s", self._model_name, line)
        if not self._loaded.done():
            message = f"the model {self._model_name!r} could not be loaded: its worker {how}"
            self._loaded.set_exception(EngineError("model_load_failed", message))
        message = f"the worker of model {self._model_name!r} {how}; the next request loads the model again"
        self._fail_requests(EngineError("worker_died", message))

    def _give_up(self, fault: str) -> None:
        """End it, for this reason."""
        self._fault = fault
        self._process.kill()
        assert self._transport is not None
        self._transport.abort()

    def _receive(self, frame: ToHost) -> None:
        self._watchdog.hear()
        if isinstance(frame, Events):
            for request_id, event in frame.events:
                self._dispatch(request_id, event)
        elif isinstance(frame, Pong):
            self._hear_activity(frame)
        elif not self._loaded.done():
            self._settle(frame)

    def _hear_activity(self, pong: Pong) -> None:
        self._watchdog.hear_of_step(pong.step_age_seconds)
        if pong.activity is not None:
            curious, self._curious = self._curious, []
            for answer in curious:
                if not answer.done():
                    answer.set_result(pong.activity)

    def _settle(self, frame: Ready | LoadFailed) -> None:
        if isinstance(frame, Ready):
            self._loaded.set_result(frame.model)
            return
        message = f"the model {self._model_name!r} could not be loaded: {frame.message}"
        self._loaded.set_exception(EngineError("model_load_failed", message))

    def _dispatch(self, request_id: int, event: Event) -> None:
        """To the request's queue; an unknown id was cancelled while this was under way."""
        queue = self._requests.get(request_id)
        if queue is None:
            return
        if not queue.put(event):
            self._cancel(request_id)
        elif not isinstance(event, _GO_ON):
            del self._requests[request_id]

    def _cancel(self, request_id: int) -> None:
        if self._requests.pop(request_id, None) is not None:
            self._send(Cancel(id=request_id))

    def _fail_requests(self, error: EngineError) -> None:
        requests, self._requests = self._requests, {}
        for queue in requests.values():
            queue.fail(error)

    def _send(self, frame: ToWorker) -> None:
        """To a lost worker nothing is sent: what it would have answered fails when it is buried."""
        assert self._transport is not None
        if not self._transport.is_closing():
            self._transport.write(encode(frame))


class OpenRequest:
    """A request under way in a worker."""

    def __init__(self, queue: EventQueue, request_id: int, cancel: Callable[[int], None]) -> None:
        self._queue = queue
        self._request_id = request_id
        self._cancel = cancel

    async def next_event(self) -> Event | None:
        """The next event; None after `close()`. Raises EngineError where the request has failed."""
        return await self._queue.get()

    def close(self) -> None:
        """Cancel it in the worker unless it has ended. Idempotent."""
        self._queue.close()
        self._cancel(self._request_id)
