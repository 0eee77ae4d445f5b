"""Calls as a list of JSON objects between marks, which many forms have in common.

Owns such a list, how far it may be bent (one object without brackets, several without commas, a missing end mark), and its grammar.
Must not know any family's marks or names.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.chat.answer import Answer
from engine.chat.lark import SPACED, Lark
from engine.chat.source import Reading, Source, Unreadable
from engine.chat.tool_formats.form import CallableTool, written_arguments
from engine.chat.tool_formats.json_call import JsonCall

ReadCall = Callable[[Answer], Reading[None]]


@dataclass(frozen=True)
class CallSpelling:
    """How a model spells a list of calls: a call with `{name}`, a JSON string, and `{arguments}`, and what stands around calls. `id_regex`:
    what an `{id}` looks like that the model gives."""

    call: str = '{"name": {name}, "arguments": {arguments}}'
    opening: str = "["
    separator: str = ", "
    closing: str = "]"
    id_regex: str = "[a-zA-Z0-9]{9}"

    def rules(self, tools: tuple[CallableTool, ...], lark: Lark, *, in_parallel: bool) -> str:
        """The list, as Lark items."""
        call = lark.rule("call", " | ".join(self._call(tool, lark) for tool in tools))
        further = f"({lark.text(self.separator)} {call})*" if in_parallel else ""
        return " ".join(filter(None, (lark.text(self.opening), call, further, lark.text(self.closing))))

    def _call(self, tool: CallableTool, lark: Lark) -> str:
        start, end = self.call.replace("{name}", json.dumps(tool.name, ensure_ascii=False)).split("{arguments}")
        arguments = written_arguments(tool, lark, spacing=SPACED)
        return f"{self._with_id(start, lark)} {arguments} {self._with_id(end, lark)}"

    def _with_id(self, text: str, lark: Lark) -> str:
        if "{id}" not in text:
            return lark.text(text)
        before, after = text.split("{id}")
        return f'{lark.text(before)} "\\"" {lark.regex(self.id_regex)} "\\"" {lark.text(after)}'


@dataclass(frozen=True)
class JsonListFormat:
    """A form whose calls are such a list behind one of `openings` and before `closing`, or the text's end."""

    openings: tuple[str, ...]
    closing: str
    call: JsonCall = field(default_factory=JsonCall)
    written: CallSpelling = field(default_factory=CallSpelling)
    openings_at_start: tuple[str, ...] = ()
    loose_openings: tuple[str, ...] = ()

    @property
    def marks(self) -> tuple[str, ...]:
        """The end mark, if any."""
        return (self.closing,) if self.closing else ()

    def read(self, opening: str, answer: Answer) -> Reading[None]:
        """The list with white space around it, then the end mark."""
        yield from answer.source.white_space()
        yield from read_json_list(answer, self.call.read)
        if self.closing:
            yield from answer.source.white_space()
            yield from answer.source.expect_or_end(self.closing)

    def rules(self, opening: str, tools: tuple[CallableTool, ...], lark: Lark, *, in_parallel: bool) -> str:
        """All calls in one list."""
        return f"{self.written.rules(tools, lark, in_parallel=in_parallel)} {lark.text(self.closing)}"


def read_json_list(answer: Answer, read_call: ReadCall) -> Reading[None]:
    """Reads an array of objects, or one or more objects that stand alone. Raises Unreadable if there is none."""
    source = answer.source
    is_array = (yield from source.accept("[")) is not None
    while True:
        yield from source.white_space()
        yield from read_call(answer)
        if not (yield from _another(source, is_array)):
            break
    if is_array:
        yield from source.expect_or_end("]")


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
