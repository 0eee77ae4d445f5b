"""Calls as a list of JSON objects between marks, which many forms have in common.

Owns such a list, and how far it may be bent: one object without brackets, several without commas, a missing end mark. Must not know any
family's marks or names.
"""

from dataclasses import dataclass, field
from typing import Protocol

from engine.chat.grammars.lark import Lark
from engine.chat.reader.answer import Answer
from engine.chat.reader.source import Reading, Source, Unreadable
from engine.chat.tool_formats.form import CallableTool
from engine.chat.tool_formats.json_call import JsonCall
from engine.chat.tool_formats.spelling import CallSpelling


class CallReader(Protocol):
    """What reads one call."""

    def read(self, answer: Answer) -> Reading[None]:
        """Raises Unreadable if there is none."""


@dataclass(frozen=True)
class JsonListFormat:
    """A form whose calls are such a list behind an opening, up to `closing` or the text's end. An opening may hold the list's bracket."""

    openings: tuple[str, ...]
    closing: str = ""
    call: CallReader = field(default_factory=JsonCall)
    written: CallSpelling = field(default_factory=CallSpelling)
    loose_openings: tuple[str, ...] = ()
    further_marks: tuple[str, ...] = ()

    openings_at_start = ()

    @property
    def marks(self) -> tuple[str, ...]:
        """The end mark, if any, and what stands within an opening."""
        return (*filter(None, (self.closing,)), *self.further_marks)

    def read(self, opening: str, answer: Answer) -> Reading[None]:
        """The list with white space around it, then the end mark."""
        if opening.endswith("["):
            answer.source.put_back(1)
        yield from answer.source.white_space()
        yield from read_json_list(answer, self.call)
        if self.closing:
            yield from answer.source.white_space()
            yield from answer.source.expect_or_end(self.closing)

    def rules(self, opening: str, tools: tuple[CallableTool, ...], lark: Lark, *, in_parallel: bool) -> str:
        """All calls in one list."""
        return f"{self.written.rules(tools, lark, in_parallel=in_parallel)} {lark.text(self.closing)}"


def read_json_list(answer: Answer, call: CallReader) -> Reading[None]:
    """Reads an array of objects, or one or more objects that stand alone. Raises Unreadable if there is none."""
    source = answer.source
    is_array = (yield from source.accept("[")) is not None
    while True:
        yield from source.white_space()
        yield from call.read(answer)
        if not (yield from _another(source, is_array)):
            break
    if is_array:
        yield from source.expect_or_end("]")
        source.keep()


def _another(source: Source, is_array: bool) -> Reading[bool]:
    """Whether one more object follows. White space in front of what is none is used up."""
    yield from source.white_space()
    if is_array:
        return (yield from source.accept(",")) is not None
    return (yield from source.peek()) == "{"


def read_object(answer: Answer) -> Reading[None]:
    """Reads an open call's arguments, a JSON object, to the end of the call. Raises Unreadable if they are none."""
    yield from answer.source.white_space()
    if (yield from answer.source.peek()) != "{":
        raise Unreadable("arguments are an object")
    yield from answer.source.json(answer.arguments)
    answer.end_call()
