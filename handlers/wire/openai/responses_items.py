"""The items that an answer is made of, each as it grows: thinking, messages, calls of functions and of custom tools.

Owns what an item is at its beginning, in between and at its end, and the news of it. Must not know the other items, nor the stream.
"""

import uuid
from collections.abc import Iterator
from typing import Literal, Protocol

from engine import JsonObject, ReasoningDelta, TextDelta, ToolCallDelta
from handlers.wire.logprobs import render_logprobs
from handlers.wire.openai.custom_tools import InputReader
from handlers.wire.openai.sealed_reasoning import sealed

Status = Literal["in_progress", "completed", "incomplete"]
News = tuple[str, JsonObject]
"""An event's type, and its fields but for those that say of which item it is."""
Delta = ReasoningDelta | TextDelta | ToolCallDelta


class Item(Protocol):
    """One item of an answer."""

    id: str

    def begun(self) -> JsonObject:
        """The item as it is at first."""

    def opening(self) -> Iterator[News]:
        """What there is to tell of it before its first delta."""

    def more(self, delta: Delta) -> Iterator[News]:
        """What a delta adds to it."""

    def closing(self) -> Iterator[News]:
        """What there is to tell behind its last delta."""

    def whole(self, status: Status) -> JsonObject:
        """The item as it is now."""


class Thinking:
    """What the model thinks. `sealed`: its text stands once more in the field that some clients carry alone."""

    def __init__(self, *, sealed: bool) -> None:
        self.id = _new_id("rs_")
        self._sealed = sealed
        self._text = ""

    def begun(self) -> JsonObject:
        """Without content."""
        return {"id": self.id, "type": "reasoning", "summary": [], "content": [], "status": "in_progress"}

    def opening(self) -> Iterator[News]:
        """Its one part begins."""
        yield "response.content_part.added", {"content_index": 0, "part": self._part()}

    def more(self, delta: Delta) -> Iterator[News]:
        """More text."""
        assert isinstance(delta, ReasoningDelta)
        self._text += delta.text
        yield "response.reasoning_text.delta", {"content_index": 0, "delta": delta.text}

    def closing(self) -> Iterator[News]:
        """The text, then the part with it."""
        yield "response.reasoning_text.done", {"content_index": 0, "text": self._text}
        yield "response.content_part.done", {"content_index": 0, "part": self._part()}

    def whole(self, status: Status) -> JsonObject:
        """With its text, and where asked for the sealed one."""
        item = {**self.begun(), "content": [self._part()], "status": status}
        return {**item, "encrypted_content": sealed(self._text)} if self._sealed else item

    def _part(self) -> JsonObject:
        return {"type": "reasoning_text", "text": self._text}


class Message:
    """What the model says, and where asked for the log probabilities of it."""

    def __init__(self, *, logprobs: bool) -> None:
        self.id = _new_id("msg_")
        self._wants_logprobs = logprobs
        self._text = ""
        self._logprobs: list[JsonObject] = []

    def begun(self) -> JsonObject:
        """Without content."""
        return {"id": self.id, "type": "message", "role": "assistant", "content": [], "status": "in_progress"}

    def opening(self) -> Iterator[News]:
        """Its one part begins."""
        yield "response.content_part.added", {"content_index": 0, "part": self._part()}

    def more(self, delta: Delta) -> Iterator[News]:
        """More text."""
        assert isinstance(delta, TextDelta)
        self._text += delta.text
        logprobs = render_logprobs(delta.logprobs) if self._wants_logprobs else []
        self._logprobs += logprobs
        yield "response.output_text.delta", {"content_index": 0, "delta": delta.text, "logprobs": logprobs}

    def closing(self) -> Iterator[News]:
        """The text, then the part with it."""
        yield "response.output_text.done", {"content_index": 0, "text": self._text, "logprobs": list(self._logprobs)}
        yield "response.content_part.done", {"content_index": 0, "part": self._part()}

    def whole(self, status: Status) -> JsonObject:
        """With its text."""
        return {**self.begun(), "content": [self._part()], "status": status}

    def _part(self) -> JsonObject:
        return {"type": "output_text", "text": self._text, "annotations": [], "logprobs": list(self._logprobs)}


class _Call:
    """What calls of all kinds have: a beginning that says which tool is called, and by which id its output will answer."""

    def __init__(self, id_prefix: str, kind: str, call_id: str, name: str) -> None:
        self.id = _new_id(id_prefix)
        self._call = {"id": self.id, "type": kind, "call_id": call_id, "name": name}

    def opening(self) -> Iterator[News]:
        """Nothing: a call has no parts."""
        yield from ()


class FunctionCall(_Call):
    """A call of a function."""

    def __init__(self, call_id: str, name: str) -> None:
        super().__init__("fc_", "function_call", call_id, name)
        self._arguments = ""

    def begun(self) -> JsonObject:
        """Without arguments."""
        return self.whole("in_progress")

    def more(self, delta: Delta) -> Iterator[News]:
        """More of the arguments."""
        assert isinstance(delta, ToolCallDelta)
        if delta.arguments:
            self._arguments += delta.arguments
            yield "response.function_call_arguments.delta", {"delta": delta.arguments}

    def closing(self) -> Iterator[News]:
        """The arguments."""
        fields = {"name": self._call["name"], "arguments": self._arguments}
        yield "response.function_call_arguments.done", fields

    def whole(self, status: Status) -> JsonObject:
        """With its arguments."""
        return {**self._call, "arguments": self._arguments, "status": status}


class CustomCall(_Call):
    """A call of a custom tool, which the model makes as one of a function of one text."""

    def __init__(self, call_id: str, name: str) -> None:
        super().__init__("ctc_", "custom_tool_call", call_id, name)
        self._reader = InputReader()
        self._input = ""

    def begun(self) -> JsonObject:
        """Without input."""
        return self.whole("in_progress")

    def more(self, delta: Delta) -> Iterator[News]:
        """More of the input."""
        assert isinstance(delta, ToolCallDelta)
        yield from self._read(self._reader.feed(delta.arguments))

    def closing(self) -> Iterator[News]:
        """What was no input in JSON, then the input."""
        yield from self._read(self._reader.rest())
        yield "response.custom_tool_call_input.done", {"input": self._input}

    def whole(self, status: Status) -> JsonObject:
        """With its input."""
        return {**self._call, "input": self._input, "status": status}

    def _read(self, text: str) -> Iterator[News]:
        if text:
            self._input += text
            yield "response.custom_tool_call_input.delta", {"delta": text}


def _new_id(prefix: str) -> str:
    return prefix + uuid.uuid4().hex
