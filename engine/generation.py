"""One running generation as its caller sees it: an async iterator of events that ends exactly once.

Owns the rule that whoever holds a `Generation` closes it, and that closing cancels. Must not know how events reach the
host, nor how a dialect shows them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

import msgspec

from engine.errors import EngineError
from engine.events import (
    Admitted,
    ChoiceFinished,
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    Timings,
    TokenLogprob,
    ToolCallDelta,
    Usage,
)

GenerationEvent = TextDelta | ReasoningDelta | ToolCallDelta | ChoiceFinished | Finished


class EventSource(Protocol):
    """Where a generation's events come from, and how it is given up."""

    async def next_event(self) -> Event | None:
        """The next event; None after `close()`. Raises EngineError where the request has failed."""

    def close(self) -> None:
        """Give the request up, or back if it has ended. Idempotent."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A whole tool call; `arguments` is JSON text."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class GeneratedChoice:
    """One whole answer. `text` and `logprobs` exclude the echoed prompt, which is in `echo_text` and `echo_logprobs`, and the
    model's thinking, which is in `reasoning`."""

    index: int
    text: str
    reasoning: str
    logprobs: tuple[TokenLogprob, ...]
    echo_text: str
    echo_logprobs: tuple[TokenLogprob, ...]
    tool_calls: tuple[ToolCall, ...]
    finish_reason: FinishReason
    completion_tokens: int
    cumulative_logprob: float | None


@dataclass(frozen=True, slots=True)
class GenerationResult:
    """All answers, by index, with the request's token counts, durations and (where asked for) Ollama's context."""

    choices: tuple[GeneratedChoice, ...]
    usage: Usage
    timings: Timings
    context: tuple[int, ...]


class Generation:
    """A generation under way. Iterate over it or take `result()`; in any case close it. `unused`: as of Started."""

    def __init__(self, source: EventSource, *, prompt_tokens: int, load_ns: int, unused: tuple[str, ...] = ()) -> None:
        self.prompt_tokens = prompt_tokens
        self.unused = unused
        self.load_ns = load_ns
        self._source = source
        self._ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> GenerationEvent:
        """The next event. `Finished` is the last; a failure raises EngineError, once."""
        if self._ended:
            raise StopAsyncIteration
        try:
            event = await self._source.next_event()
            while isinstance(event, Admitted):  # comes here where nobody waited for it before the stream began
                event = await self._source.next_event()
        except EngineError:
            self.close()
            raise
        if isinstance(event, Finished):
            self.close()
            return msgspec.structs.replace(event, timings=timings_with_load(event.timings, self.load_ns))
        if event is None:
            raise StopAsyncIteration
        if not isinstance(event, TextDelta | ReasoningDelta | ToolCallDelta | ChoiceFinished):
            self.close()
            raise EngineError("internal", f"the worker sent {type(event).__name__} in a generation")
        return event

    async def result(self) -> GenerationResult:
        """All the answers, complete. Raises EngineError if the request fails; the generation is closed either way."""
        try:
            return collect([event async for event in self])
        finally:
            self.close()

    def close(self) -> None:
        """Give up what is not finished yet: the worker frees its slot within one step. Idempotent."""
        self._ended = True
        self._source.close()

    async def aclose(self) -> None:
        """Same as `close`, for `contextlib.aclosing`."""
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(slots=True)
class _Choice:
    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    logprobs: list[TokenLogprob] = field(default_factory=list)
    echo_text: list[str] = field(default_factory=list)
    echo_logprobs: list[TokenLogprob] = field(default_factory=list)
    calls: dict[int, list[ToolCallDelta]] = field(default_factory=dict)

    def add(self, event: TextDelta | ReasoningDelta | ToolCallDelta) -> None:
        if isinstance(event, ToolCallDelta):
            self.calls.setdefault(event.call_index, []).append(event)
        elif isinstance(event, ReasoningDelta):
            self.reasoning.append(event.text)
        elif event.echo:
            self.echo_text.append(event.text)
            self.echo_logprobs.extend(event.logprobs)
        else:
            self.text.append(event.text)
            self.logprobs.extend(event.logprobs)

    def finish(self, end: ChoiceFinished) -> GeneratedChoice:
        return GeneratedChoice(
            index=end.index,
            text="".join(self.text),
            reasoning="".join(self.reasoning),
            logprobs=tuple(self.logprobs),
            echo_text="".join(self.echo_text),
            echo_logprobs=tuple(self.echo_logprobs),
            tool_calls=tuple(_whole_call(self.calls[index]) for index in sorted(self.calls)),
            finish_reason=end.finish_reason,
            completion_tokens=end.completion_tokens,
            cumulative_logprob=end.cumulative_logprob,
        )


def collect(events: Iterable[GenerationEvent]) -> GenerationResult:
    """The whole answers that a finished generation's events amount to."""
    open_choices: dict[int, _Choice] = {}
    choices: dict[int, GeneratedChoice] = {}
    for event in events:
        if isinstance(event, Finished):
            ordered = tuple(choices[index] for index in sorted(choices))
            return GenerationResult(ordered, event.usage, event.timings, event.context)
        choice = open_choices.setdefault(event.index, _Choice())
        if isinstance(event, ChoiceFinished):
            choices[event.index] = choice.finish(event)
        else:
            choice.add(event)
    raise EngineError("internal", "the generation was closed before it finished")


def timings_with_load(timings: Timings, load_ns: int) -> Timings:
    """A worker's durations with the host's: the wait for the model's load belongs to the whole."""
    return msgspec.structs.replace(timings, load_ns=load_ns, total_ns=timings.total_ns + load_ns)


def _whole_call(deltas: list[ToolCallDelta]) -> ToolCall:
    call_id = next((delta.id for delta in deltas if delta.id is not None), "")
    name = next((delta.name for delta in deltas if delta.name is not None), "")
    return ToolCall(call_id, name, "".join(delta.arguments for delta in deltas))
