"""Splits a model's text into reasoning, content and tool calls as it grows, the same however it is cut into pieces.

Owns the order in which an answer's parts stand, and what becomes of text that looked like a call and is none: it is delivered as content;
nothing is lost but the white space next to a call or to thinking. Must not know any form of call, which is `tool_formats`' business,
nor tokens.
"""

from collections.abc import Callable

from engine.chat.answer import Answer, Piece
from engine.chat.reasoning import Thinking, read_thinking
from engine.chat.source import Marks, Reading, Unreadable
from engine.chat.tool_formats.form import ToolFormat

_MAX_UNFINISHED = 8
"""Each opening of a call that the text's end cuts off may be read to that end: a text that has more of them is content."""

Script = Callable[[Answer], Reading[None]]
"""How a whole answer is read."""


class ChannelParser:
    """Reads one answer as `script` says."""

    def __init__(self, script: Script, answer: Answer) -> None:
        self._answer = answer
        self._reading = script(answer)
        self._read_on()

    @property
    def is_reasoning(self) -> bool:
        """Whether the next text would belong to the model's thinking."""
        return self._answer.is_reasoning

    @property
    def complete_calls(self) -> int:
        """How many calls have come to their end."""
        return self._answer.complete_calls

    def feed(self, text: str) -> list[Piece]:
        """The reasoning, the content and the calls that `text` makes certain, in order."""
        self._answer.source.feed(text)
        return self._read_on()

    def finish(self, *, is_cut: bool = False) -> list[Piece]:
        """What remains, now that nothing follows. `is_cut`: because a limit was reached."""
        self._answer.source.end(is_cut=is_cut)
        return self._read_on()

    def _read_on(self) -> list[Piece]:
        next(self._reading, None)
        return self._answer.take_pieces()


def script(thinking: Thinking | None, tools: ToolFormat | None, *, in_parallel: bool = True) -> Script:
    """Thinking, where there may be some, then content with calls among it, where there may be any."""

    def read(answer: Answer) -> Reading[None]:
        if thinking is not None:
            yield from read_thinking(thinking, answer)
        yield from read_content(tools, answer, in_parallel=in_parallel)

    return read


def read_content(tools: ToolFormat | None, answer: Answer, *, in_parallel: bool = True) -> Reading[None]:
    """Content up to the end of the text, and the calls among it: only those of one place unless `in_parallel`."""
    if tools is not None and tools.openings_at_start:
        yield from _read_start(tools, answer)
    source, unfinished = answer.source, 0
    while True:
        may_call = unfinished < _MAX_UNFINISHED and (in_parallel or not answer.complete_calls)
        marks = Marks(tools.openings if tools and may_call else ())
        found = yield from source.until(marks, answer.content, trims=True)
        if not found:
            return
        assert tools is not None
        source.keep()
        yield from source.white_space()
        source.take(len(found))
        if not (yield from _read_calls(tools, found, answer)):
            source.go_back()
            answer.content((yield from source.white_space()) + source.take(len(found)))
            unfinished += source.is_starved
        source.release()


def _read_start(tools: ToolFormat, answer: Answer) -> Reading[None]:
    """The calls that an answer begins with, where only its beginning tells them from content."""
    answer.source.keep()
    yield from answer.source.white_space()
    opening = yield from answer.source.accept(*tools.openings_at_start)
    if opening is None or not (yield from _read_calls(tools, opening, answer)):
        answer.source.go_back()
    answer.source.release()


def _read_calls(tools: ToolFormat, opening: str, answer: Answer) -> Reading[bool]:
    """Reads calls from behind their opening on. False if there was none: the text is then to be read again from where it was kept."""
    source, calls_before = answer.source, answer.complete_calls
    try:
        yield from tools.read(opening, answer)
    except Unreadable:
        is_cut = source.is_cut and source.is_starved
        was_delivered = answer.abandon_call(is_cut=is_cut)
        if is_cut:
            source.take(len(source.rest))  # the beginning of a call, or of a mark: no text for the reader
        elif not was_delivered:
            source.go_back()
            if answer.complete_calls == calls_before:
                return False
    source.keep()
    yield from source.white_space()
    return True
