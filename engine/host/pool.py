"""Which workers live: reuse a ready one, load one, or end an idle one and load; and when one has been idle too long.

Owns the workers' states and the requests that wait for one. Decides synchronously in `_settle`, starts I/O afterwards.
Must not know what a request asks for.
"""

import asyncio
import logging
from collections.abc import Callable

import msgspec

from engine.activity import ModelActivity, ModelState
from engine.config import EngineConfig
from engine.errors import EngineError
from engine.host.admission import Admission
from engine.host.backlog import Held
from engine.host.catalog import ModelEntry
from engine.host.connection import Connection
from engine.host.kv_cells import cell_bytes, draft_cell_bytes
from engine.host.lease import Lease
from engine.host.process import WORKER_COMMAND
from engine.host.room import NO_WISH, Room
from engine.host.waiting_line import Waiter, WaitingLine
from engine.host.watchdog import Patience
from engine.host.worker_state import Worker, WorkerState
from engine.memory import lacking_memory, own_bytes
from engine.protocol import Load

logger = logging.getLogger(__name__)

_STATES: dict[WorkerState, ModelState] = {
    WorkerState.LOADING: "loading",
    WorkerState.READY: "ready",
    WorkerState.CLOSING: "closing",
    WorkerState.DEAD: "absent",
}


class Pool:
    """At most `max_workers` workers, one for a model. `kept` names models that stay for ever by default."""

    def __init__(
        self, config: EngineConfig, *, max_workers: int, kept: frozenset[str], command: tuple[str, ...] = WORKER_COMMAND
    ) -> None:
        self._config = config
        self._max_workers = max_workers
        self._kept = kept
        self._command = command
        self._workers: dict[str, Worker] = {}
        self._line = WaitingLine()
        self._admission = Admission(config, self._ahead)
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def __repr__(self) -> str:
        workers = " ".join(map(repr, self._workers.values())) or "empty"
        return f"<Pool {len(self._workers)}/{self._max_workers}: {workers}; {len(self._line)} waiting>"

    @property
    def waiting_bytes(self) -> int:
        """The size of all requests that wait, for a worker or in one."""
        return self._admission.waiting_bytes

    def ready_workers(self) -> list[Worker]:
        """The workers that take or still run requests, in the order they were loaded."""
        return [worker for worker in self._workers.values() if worker.connection is not None]

    async def activity(self, timeout_seconds: float) -> list[ModelActivity]:
        """What goes on with each model that was asked for, by name. A worker that does not answer in time is left out."""
        return await asyncio.gather(*(self._activity_of(name, timeout_seconds) for name in self._admission.names()))

    async def _activity_of(self, name: str, timeout_seconds: float) -> ModelActivity:
        worker, ledger = self._workers.get(name), self._admission.ledger(name)
        connection = worker.connection if worker is not None else None
        told = await connection.activity(timeout_seconds) if connection is not None and connection.alive else None
        return ModelActivity(
            model=name,
            state=_STATES[worker.state] if worker is not None else "absent",
            open_requests=worker.active_requests if worker is not None else 0,
            awaiting_load=self._line.waiting_for(name),
            loads=ledger.loads,
            deaths=ledger.deaths,
            counts=ledger.counts,
            worker=told,
        )

    async def acquire(
        self,
        entry: ModelEntry,
        keep_alive_seconds: float | None = None,
        room: Room = NO_WISH,
        size_bytes: Callable[[], int] = int,
    ) -> Lease:
        """A place in a worker of this model, loaded first if need be; and loaded again where it has too little room, once its running
        requests have ended. What was loaded with more room keeps it until it is unloaded. `size_bytes` tells how much is kept in memory
        while the request waits.

        Raises EngineError: model_load_failed; queue_full where too many wait already; queue_timeout; shutting_down.
        """
        self._refuse_if_closed()
        worker = self._workers.get(entry.name)
        if worker is not None and worker.takes(entry) and worker.has_room(room) and entry.name not in self._line:
            return self._lease_at_once(worker, keep_alive_seconds, size_bytes)
        if worker is not None and worker.takes(entry) and not worker.has_room(room):
            self._check_memory(worker, room)
        # Whoever has a model loaded does not stand behind others; who comes while it loads does.
        if entry.name in self._line:
            self._admission.check_line(entry.name, len(self._line))
        held = self._admission.hold(entry.name, size_bytes())
        return await self._wait(entry, Waiter(keep_alive_seconds, held, room))

    def _check_memory(self, worker: Worker, room: Room) -> None:
        """Raises EngineError model_load_failed where a worker would be given up for a context that can't be had."""
        assert worker.connection is not None
        params = self._config.load_of(worker.name)
        cell = cell_bytes(worker.entry.metadata, params.attention) + draft_cell_bytes(params)
        if (
            cell
            and room.ctx_tokens > worker.connection.model.ctx_size_tokens
            and not worker.connection.model.gpu_layers
        ):
            lacking = lacking_memory(room.ctx_tokens, cell, freed_bytes=own_bytes(worker.connection.pid))
            if lacking:
                raise EngineError("model_load_failed", f"the model {worker.name!r} is not loaded again: {lacking}")

    def timed_out(self, name: str) -> EngineError:
        """The end of a request that has waited too long in its model for a place."""
        return self._admission.timed_out(name)

    async def _wait(self, entry: ModelEntry, waiter: Waiter) -> Lease:
        self._line.add(entry, waiter)
        self._limit_wait(entry.name, waiter)
        self._settle()
        try:
            return await waiter.future
        except asyncio.CancelledError:
            waiter.give_back()
            waiter.held.release()
            self._leave(entry.name, waiter)
            raise
        except EngineError:
            waiter.held.release()
            raise
        finally:
            waiter.stop_timer()

    def _limit_wait(self, name: str, waiter: Waiter) -> None:
        """Let it wait for as long as a request may, not counting what a load takes that is under way then."""
        waiter.start_timer(self._config.queue_timeout_seconds, lambda: self._lose_patience(name, waiter))

    def _lose_patience(self, name: str, waiter: Waiter) -> None:
        worker = self._workers.get(name)
        if worker is not None and worker.state is WorkerState.LOADING:
            self._limit_wait(name, waiter)
        elif not waiter.future.done():
            self._admission.ledger(name).note_outcome("queue_timeout")
            waiter.fail(self._admission.timed_out(name))
            self._leave(name, waiter)

    def _leave(self, name: str, waiter: Waiter) -> None:
        """It waits no more: those behind it may need no other worker than there is."""
        self._line.remove(name, waiter)
        if not self._closed:
            self._settle()

    def retire(self, name: str) -> asyncio.Future[None] | None:
        """End the worker of this model once its running requests have ended; new ones load it again.

        The future is done when the worker is gone; None where there is none, or where requests still keep it.
        """
        worker = self._workers.get(name)
        if worker is None or worker.connection is None:
            if worker is not None:
                worker.keep_alive_seconds = 0
            return None
        self._end_when_idle(worker)
        return worker.connection.ended if worker.active_requests == 0 else None

    async def aclose(self) -> None:
        """End every worker; requests that wait or run fail with shutting_down. Idempotent."""
        self._closed = True
        error = _shutting_down()
        for entry in self._line:
            self._fail_waiters(entry.name, error)
        for worker in self._workers.values():
            worker.stop_timer()
            if worker.connection is not None:
                worker.connection.close(error)
            elif worker.loading is not None:
                worker.loading.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise _shutting_down()

    def _ahead(self, name: str) -> int:
        """How many requests for this model would be served before one more."""
        worker, parallel = self._workers.get(name), self._config.load_of(name).parallel
        open_requests = worker.active_requests if worker is not None else 0
        return max(0, open_requests - parallel) + self._line.waiting_for(name)

    def _settle(self) -> None:
        """Give every waiting model, first come first served, what can be had now."""
        room = self._max_workers - len(self._workers)
        leaving = sum(worker.state is WorkerState.CLOSING for worker in self._workers.values())
        for entry in self._line:
            worker = self._workers.get(entry.name)
            if worker is not None:
                self._hand_out(worker, entry)
            elif room > 0:
                room -= 1
                self._begin_load(entry)
            elif leaving > 0:
                leaving -= 1
            else:
                self._evict_one()

    def _hand_out(self, worker: Worker, entry: ModelEntry) -> None:
        """To all who wait for the model, up to the first that needs more room: this one and those behind wait for the next worker, and
        that begins when the last request of this one has ended."""
        if worker.takes(entry):
            for waiter in self._line.take(entry.name, lambda waiter: worker.has_room(waiter.room)):
                self._give(worker, waiter)
            if entry.name in self._line and worker.active_requests == 0:
                self._line.succeed(worker)
                self._end_when_idle(worker)
        elif worker.state is WorkerState.READY:
            self._end_when_idle(worker)

    def _give(self, worker: Worker, waiter: Waiter) -> None:
        if waiter.future.done():
            return
        try:
            self._admission.waits(worker)
        except EngineError as error:
            waiter.fail(error)
        else:
            lease = self._lease(worker, waiter.keep_alive_seconds, waiter.held, load_ns=waiter.waited_ns)
            waiter.future.set_result(lease)

    def _lease_at_once(self, worker: Worker, keep_alive_seconds: float | None, size_bytes: Callable[[], int]) -> Lease:
        """A place in a ready worker. Where all are taken that are computed at once, the request waits there."""
        waits = self._admission.waits(worker)
        held = self._admission.hold(worker.name, size_bytes()) if waits else None
        return self._lease(worker, keep_alive_seconds, held, load_ns=0)

    def _lease(self, worker: Worker, keep_alive_seconds: float | None, held: Held | None, *, load_ns: int) -> Lease:
        worker.begin_request(keep_alive_seconds)
        return Lease(worker, load_ns, self._end_request, self._admission.ledger(worker.name), held)

    def _end_request(self, worker: Worker) -> None:
        worker.active_requests -= 1
        if worker.active_requests == 0:
            self._rest(worker)

    def _rest(self, worker: Worker) -> None:
        """No request runs in this worker now."""
        if worker.state is WorkerState.CLOSING:
            self._end(worker)
        elif worker.state is WorkerState.READY:
            if worker.name in self._line:
                self._settle()
            elif worker.keep_alive_seconds == 0:
                self._end_when_idle(worker)
            else:
                worker.start_timer(lambda: self._end_when_idle(worker))

    def _evict_one(self) -> None:
        """Choose the worker to make room: an idle one before a busy one, one that expires before one that stays,
        the one unused for longest. A busy one finishes its requests first; new ones for its model wait in line."""
        candidates = [worker for worker in self._workers.values() if worker.state is WorkerState.READY]
        if candidates:
            self._end_when_idle(min(candidates, key=Worker.eviction_rank))

    def _end_when_idle(self, worker: Worker) -> None:
        if worker.state is WorkerState.READY:
            worker.stop_timer()
            worker.move(WorkerState.CLOSING)
            if worker.active_requests == 0:
                self._end(worker)

    def _end(self, worker: Worker) -> None:
        assert worker.connection is not None
        if worker.connection.alive:
            logger.info("unloading model %s", worker.name)
        worker.connection.close(EngineError("internal", f"the worker of model {worker.name!r} was ended"))

    def _begin_load(self, entry: ModelEntry) -> None:
        predecessor = self._line.predecessor(entry.name)
        if predecessor is not None:
            worker = Worker(entry, predecessor.keep_alive_seconds, predecessor.wanted_room)
        else:
            worker = Worker(entry, -1 if entry.name in self._kept else self._config.keep_alive_seconds)
        self._workers[entry.name] = worker
        worker.loading = asyncio.create_task(self._live(worker), name=f"life of the worker of {entry.name}")
        self._tasks.add(worker.loading)
        worker.loading.add_done_callback(self._tasks.discard)

    async def _live(self, worker: Worker) -> None:
        """One worker from its load to its end."""
        try:
            connection = await self._load(worker)
        except asyncio.CancelledError:
            self._bury(worker, _shutting_down())
            raise
        except EngineError as error:
            logger.error("%s", error.message)
            self._bury(worker, error)
            return
        except Exception:
            logger.exception("loading model %s failed unexpectedly", worker.name)
            message = f"the model {worker.name!r} could not be loaded; the server's log says why"
            self._bury(worker, EngineError("model_load_failed", message))
            return
        worker.connection = connection
        worker.move(WorkerState.READY)
        self._settle()
        if worker.active_requests == 0:
            self._rest(worker)
        await asyncio.shield(connection.ended)
        self._admission.ledger(worker.name).deaths += connection.has_died
        self._bury(worker)

    async def _load(self, worker: Worker) -> Connection:
        logger.info("loading model %s from %s", worker.name, worker.entry.path)
        self._admission.ledger(worker.name).loads += 1
        worker.wanted_room = worker.wanted_room.joined(self._line.wanted_room(worker.name))
        _tell_family(worker)
        projector = worker.entry.projector
        params = self._config.load_of(worker.name)
        load = Load(
            path=str(worker.entry.path),
            params=msgspec.structs.replace(
                params,
                least_ctx_tokens=worker.wanted_room.ctx_tokens,
                least_input_tokens=worker.wanted_room.input_tokens,
                projector=None if projector is None else str(projector.path),
            ),
            family=worker.entry.metadata.recognition.family.name,
            cell_bytes=cell_bytes(worker.entry.metadata, params.attention),
            draft_cell_bytes=draft_cell_bytes(params),
            log_level=self._config.log_level,
        )
        return await Connection.open(
            worker.name,
            load,
            command=self._command,
            timeout_seconds=self._config.load_timeout_seconds,
            grace_seconds=self._config.shutdown_grace_seconds,
            patience=Patience(
                silence_seconds=self._config.worker_silence_seconds, step_seconds=self._config.max_step_seconds
            ),
        )

    def _bury(self, worker: Worker, load_error: EngineError | None = None) -> None:
        """The worker is gone: its place is free; those who waited for this very load fail with it."""
        worker.stop_timer()
        worker.move(WorkerState.DEAD)
        del self._workers[worker.name]
        if load_error is not None:
            self._fail_load(worker, load_error)
        if not self._closed:
            self._settle()

    def _fail_load(self, worker: Worker, error: EngineError) -> None:
        """Where some asked for the room that it was to have, it failed for them: the others wait for the next load, with less."""
        waiting = self._line.waiters(worker.name)
        greedy = [waiter for waiter in waiting if waiter.room.reaches(worker.wanted_room)]
        for waiter in greedy or waiting:
            self._line.remove(worker.name, waiter)
            waiter.fail(error)

    def _fail_waiters(self, name: str, error: EngineError) -> None:
        for waiter in self._line.take(name):
            waiter.fail(error)


def _tell_family(worker: Worker) -> None:
    """Say in the log whose template serves a model that has none of its own, and why."""
    metadata = worker.entry.metadata
    if metadata.chat_template is None and metadata.conversation_template is not None:
        family, reason = metadata.recognition.family, metadata.recognition.reason
        logger.info("model %s has no chat template; that of %s is taken: %s", worker.name, family.title, reason)


def _shutting_down() -> EngineError:
    return EngineError("shutting_down", "the server is shutting down")
