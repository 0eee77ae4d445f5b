"""The events of one request, from the connection that receives them to the one task that reads them.

Owns the bound on what may lie unread: pieces of the same answer are joined, and a reader that stays away too long is
told so. Must not know where events come from, nor end requests in the worker.
"""

import asyncio
from collections import deque

import msgspec

from engine.errors import EngineError
from engine.events import ChoiceFinished, Event, Failed, ReasoningDelta, TextDelta, ToolCallDelta

MAX_UNREAD_BYTES = 1 << 26
_JOIN_AT = 64
# About what a log probability, and an event, occupy in memory.
_LOGPROB_BYTES = 200
_EVENT_BYTES = 200

Delta = TextDelta | ReasoningDelta | ToolCallDelta


class EventQueue:
    """Unread events in order; of one reader. Deltas of the same answer may be joined while they wait, nothing else
    changes. After the end of the request (`Failed`, `fail()` or the reader's `close()`) nothing is taken in any more."""

    def __init__(self) -> None:
        self._unread: deque[list[Event]] = deque()
        self._last: dict[int, list[Event]] = {}
        self._unread_bytes = 0
        self._error: EngineError | None = None
        self._closed = False
        self._reader: asyncio.Future[None] | None = None

    def put(self, event: Event) -> bool:
        """Take one in. False: too much lies unread, and the request has failed here."""
        if self._closed or self._error is not None:
            return True
        if isinstance(event, Failed):
            self.fail(EngineError(event.code, event.message, param=event.param))
            return True
        self._unread_bytes += _size(event)
        if self._unread_bytes > MAX_UNREAD_BYTES:
            self.fail(
                EngineError("overloaded", f"the answer was given up: {MAX_UNREAD_BYTES >> 20} MiB of it lay unread")
            )
            return False
        self._append(event)
        self._wake()
        return True

    def fail(self, error: EngineError) -> None:
        """End with this error, after what lies unread. Only the first ending counts."""
        if self._error is None:
            self._error = error
            self._wake()

    def close(self) -> None:
        """The reader wants no more. Idempotent."""
        self._closed = True
        self._unread.clear()
        self._last.clear()
        self._wake()

    async def get(self) -> Event | None:
        """The next event; None after `close()`. Raises EngineError where the request failed."""
        while not self._unread:
            if self._closed:
                return None
            if self._error is not None:
                raise self._error.again()
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        return self._pop()

    def _append(self, event: Event) -> None:
        if not isinstance(event, Delta):
            self._unread.append([event])
            if isinstance(event, ChoiceFinished):
                self._last.pop(event.index, None)
            return
        pieces = self._last.get(event.index)
        if pieces is None or not _joins(pieces[0], event):
            pieces = self._last[event.index] = []
            self._unread.append(pieces)
        pieces.append(event)
        if len(pieces) >= _JOIN_AT:
            self._unread_bytes -= sum(map(_size, pieces))
            pieces[:] = [_join(pieces)]
            self._unread_bytes += _size(pieces[0])

    def _pop(self) -> Event:
        pieces = self._unread.popleft()
        event = _join(pieces)
        if isinstance(event, Delta) and self._last.get(event.index) is pieces:
            del self._last[event.index]
        self._unread_bytes -= sum(map(_size, pieces))
        return event

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


def _joins(first: Event, event: Delta) -> bool:
    """Whether `event` only continues what `first` began."""
    if isinstance(event, TextDelta):
        return isinstance(first, TextDelta) and first.echo == event.echo
    if isinstance(event, ReasoningDelta):
        return isinstance(first, ReasoningDelta)
    same_call = isinstance(first, ToolCallDelta) and first.call_index == event.call_index
    return same_call and event.id is None and event.name is None


def _join(pieces: list[Event]) -> Event:
    first = pieces[0]
    if len(pieces) == 1:
        return first
    if isinstance(first, TextDelta):
        texts = [piece for piece in pieces if isinstance(piece, TextDelta)]
        logprobs = tuple(entry for piece in texts for entry in piece.logprobs)
        return msgspec.structs.replace(first, text="".join(piece.text for piece in texts), logprobs=logprobs)
    if isinstance(first, ReasoningDelta):
        thoughts = [piece.text for piece in pieces if isinstance(piece, ReasoningDelta)]
        return msgspec.structs.replace(first, text="".join(thoughts))
    calls = [piece for piece in pieces if isinstance(piece, ToolCallDelta)]
    return msgspec.structs.replace(first, arguments="".join(piece.arguments for piece in calls))


def _size(event: Event) -> int:
    """About how many bytes of memory the event occupies."""
    if isinstance(event, TextDelta):
        entries = sum(1 + len(entry.top) for entry in event.logprobs)
        return _EVENT_BYTES + len(event.text) + _LOGPROB_BYTES * entries
    if isinstance(event, ReasoningDelta):
        return _EVENT_BYTES + len(event.text)
    return _EVENT_BYTES + (len(event.arguments) if isinstance(event, ToolCallDelta) else 0)
