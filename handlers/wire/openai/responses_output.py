"""An answer while it is written: engine events -> items, and the events of the stream that tell of them.

Owns the order of those events, their numbers, and what an answer is at each of them. Must not know the request, nor HTTP.
"""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

from engine import (
    ChoiceFinished,
    Finished,
    FinishReason,
    GenerationEvent,
    JsonObject,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from handlers.wire.openai.responses_items import CustomCall, FunctionCall, Item, Message, News, Status, Thinking


@dataclass(frozen=True, slots=True)
class Form:
    """What of a request decides how its answer is written. `frame`: what the answer has throughout. `logprobs`: it asked for them;
    `sealed`: for thinking in one text, too; `custom`: the names of its custom tools."""

    frame: JsonObject
    logprobs: bool = False
    sealed: bool = False
    custom: frozenset[str] = frozenset()


class Answer:
    """One answer. Give it the engine's events; it tells what they mean to a client."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._number = 0
        self._done: list[JsonObject] = []
        self._open: Item | None = None
        self._call_index: int | None = None
        self._reason: FinishReason = "stop"

    async def events(self, events: AsyncIterator[GenerationEvent]) -> AsyncIterator[JsonObject]:
        """The events of the stream, the last of which says how the answer ended."""
        for kind in ("response.created", "response.in_progress"):
            yield self._event(kind, {"response": self._response("in_progress")})
        async for event in events:
            for told in self._told(event):
                yield told

    async def whole(self, events: AsyncIterator[GenerationEvent]) -> JsonObject:
        """The answer at its end."""
        last: JsonObject = {}
        async for told in self.events(events):
            last = told
        response: JsonObject = last["response"]
        return response

    def failed(self, message: str, status: int) -> JsonObject:
        """The last event of an answer that failed on its way, with the HTTP status that it would have failed with before it began."""
        code = "rate_limit_exceeded" if status == 429 else "server_error" if status >= 500 else "invalid_prompt"
        response = self._response("failed", error={"code": code, "message": message})
        if self._open is not None:
            response["output"] = [*self._done, self._open.whole("incomplete")]
        return self._event("response.failed", {"response": response})

    def _told(self, event: GenerationEvent) -> Iterator[JsonObject]:
        match event:
            case ReasoningDelta():
                yield from self._enter(Thinking, lambda: Thinking(sealed=self._form.sealed))
            case TextDelta():
                if not event.text and not (self._form.logprobs and event.logprobs):
                    return
                yield from self._enter(Message, lambda: Message(logprobs=self._form.logprobs))
            case ToolCallDelta():
                yield from self._enter_call(event)
            case ChoiceFinished():
                yield from self._finish(event.finish_reason)
                return
            case Finished():
                yield self._last(event.usage)
                return
        assert self._open is not None  # entered above
        yield from self._news(self._open, self._open.more(event))

    def _enter(self, kind: type[Item], make: Callable[[], Item]) -> Iterator[JsonObject]:
        """Begin an item unless the one that is open is of this kind."""
        if not isinstance(self._open, kind):
            yield from self._close("completed")
            yield from self._begin(make())

    def _enter_call(self, event: ToolCallDelta) -> Iterator[JsonObject]:
        """A call's first delta has its id and name."""
        if event.call_index == self._call_index:
            return
        yield from self._close("completed")
        self._call_index = event.call_index
        kind = CustomCall if event.name in self._form.custom else FunctionCall
        yield from self._begin(kind(event.id or "", event.name or ""))

    def _begin(self, item: Item) -> Iterator[JsonObject]:
        self._open = item
        yield self._event("response.output_item.added", {"output_index": len(self._done), "item": item.begun()})
        yield from self._news(item, item.opening())

    def _close(self, status: Status) -> Iterator[JsonObject]:
        if self._open is None:
            return
        item, self._open = self._open, None
        yield from self._news(item, item.closing())
        whole = item.whole(status)
        yield self._event("response.output_item.done", {"output_index": len(self._done), "item": whole})
        self._done.append(whole)

    def _finish(self, reason: FinishReason) -> Iterator[JsonObject]:
        """An answer that was not cut short says something, be it nothing."""
        self._reason = reason
        is_cut = reason == "length" or (isinstance(self._open, FunctionCall | CustomCall) and reason != "tool_calls")
        if reason == "stop" and (isinstance(self._open, Thinking) or not (self._open or self._done)):
            yield from self._enter(Message, lambda: Message(logprobs=self._form.logprobs))
        yield from self._close("incomplete" if is_cut else "completed")

    def _last(self, usage: Usage) -> JsonObject:
        if self._reason == "length":
            details = {"reason": "max_output_tokens"}
            response = self._response("incomplete", incomplete_details=details, usage=_usage(usage))
        else:
            response = self._response("completed", completed_at=int(time.time()), usage=_usage(usage))
        return self._event(f"response.{response['status']}", {"response": response})

    def _response(self, status: str, **fields: object) -> JsonObject:
        ends: JsonObject = {"completed_at": None, "error": None, "incomplete_details": None}
        return {**self._form.frame, "status": status, **ends, "output": list(self._done), **fields}

    def _news(self, item: Item, news: Iterator[News]) -> Iterator[JsonObject]:
        place = {"item_id": item.id, "output_index": len(self._done)}
        for kind, fields in news:
            yield self._event(kind, {**place, **fields})

    def _event(self, kind: str, fields: JsonObject) -> JsonObject:
        event = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        return event


def _usage(usage: Usage) -> JsonObject:
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": usage.prompt_tokens - usage.cached_tokens,
        },
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
