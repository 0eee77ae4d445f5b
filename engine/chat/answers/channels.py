"""Splits a model's text into reasoning, content and tool calls as it grows, the same however it is cut into pieces.

Owns the order in which an answer's parts stand, and what becomes of text that looked like a call and is none: it is delivered as content;
nothing is lost but the white space next to a call or to thinking. Must not know any form of call, which is `tool_formats`' business,
nor tokens.
"""

from collections.abc import Callable
from functools import lru_cache

from engine.chat.answers.reasoning import Thinking
from engine.chat.answers.thinking import ThinkingReader
from engine.chat.reader.answer import Answer, CallPiece, Piece
from engine.chat.reader.source import WHITE_SPACE, Marks, Reading, Unreadable
from engine.chat.tool_formats.form import ToolFormat

_MOST_GIVEN_BACK_CHARACTERS = 1 << 18
"""What looks like a call and is none is read again as content, and so are the beginnings of calls inside it: where that comes to more, no
further calls are looked for, so that the work grows with the text's length and not with how deep it is nested."""

Script = Callable[[Answer], Reading[None]]
"""How a whole answer is read."""


class ChannelParser:
    """Reads one answer as `script` says."""

    def __init__(self, script: Script, answer: Answer) -> None:
        self._answer = answer
        self._reading = script(answer)
        next(self._reading, None)

    @property
    def is_reasoning(self) -> bool:
        """Whether the next text would belong to the model's thinking."""
        return self._answer.is_reasoning

    @property
    def may_be_calls(self) -> bool:
        """Whether calls stand at the end of the thinking, and nothing behind them: it would be over if no more of it came."""
        return self._answer.may_be_calls()

    @property
    def closing(self) -> str:
        """The text that ends the model's thinking."""
        return self._answer.closes_reasoning

    @property
    def rest_of_closing(self) -> str:
        """What is still to be written of it: white space and a beginning of its mark may have come already."""
        mark, unread = self.closing.lstrip(WHITE_SPACE), self._answer.source.rest
        begun = next((length for length in range(len(mark) - 1, 0, -1) if unread.endswith(mark[:length])), 0)
        return mark[begun:] if begun or unread else self.closing

    @property
    def complete_calls(self) -> int:
        """How many calls have come to their end."""
        return self._answer.complete_calls

    @property
    def has_cut_call(self) -> bool:
        """Whether a call was delivered that is not complete."""
        return self._answer.has_cut_call

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
        yield from _Parts(answer, thinking, tools, in_parallel=in_parallel).read()

    return read


def read_content(tools: ToolFormat | None, answer: Answer, *, in_parallel: bool = True) -> Reading[None]:
    """Content up to the end of the text, and the calls among it: only those of one place unless `in_parallel`."""
    yield from _Parts(answer, None, tools, in_parallel=in_parallel).read()


_marks = lru_cache(maxsize=64)(Marks)


class _Parts:
    """Reads the parts of an answer in their order."""

    def __init__(
        self, answer: Answer, thinking: Thinking | None, tools: ToolFormat | None, *, in_parallel: bool
    ) -> None:
        """Only the calls of one place are read unless `in_parallel`."""
        self._answer = answer
        self._source = answer.source
        openings = tools.openings if tools else ()
        self._thoughts = ThinkingReader(thinking, answer, openings, self._are_calls) if thinking else None
        self._marks = thinking.marks if thinking else None
        self._tools = tools
        self._in_parallel = in_parallel

    def read(self) -> Reading[None]:
        if self._thoughts:
            yield from self._thoughts.read_start()
        yield from self._read_answer_opening()
        if self._tools is not None and self._tools.openings_at_start:
            yield from _read_start(self._tools, self._answer)
        content = _Content(self._answer)
        while found := (yield from self._source.until(self._next_marks(), content, trims=True)):
            yield from self._read_part(found, content)

    def _are_calls(self, cut_text: str) -> bool:
        """Whether a text that the limit cut is nothing but calls."""
        parser = ChannelParser(script(None, self._tools), self._answer.another())
        pieces = (*parser.feed(cut_text), *parser.finish(is_cut=True))
        return all(isinstance(piece, CallPiece) for piece in pieces)

    def _next_marks(self) -> Marks:
        """What ends content at this place."""
        is_called_enough = self._answer.complete_calls > 0 and not self._in_parallel
        may_call = not is_called_enough and self._source.given_back_characters < _MOST_GIVEN_BACK_CHARACTERS
        calls = self._call_openings() if may_call else ()
        closings = self._marks.answer_closings if self._marks else ()
        return _marks((*calls, *self._thought_openings(), *closings), self._loose_openings() if may_call else ())

    def _call_openings(self) -> tuple[str, ...]:
        return (*self._tools.openings, *self._loose_openings()) if self._tools else ()

    def _loose_openings(self) -> tuple[str, ...]:
        return self._tools.loose_openings if self._tools else ()

    def _thought_openings(self) -> tuple[str, ...]:
        return (self._marks.opening,) if self._marks and self._marks.recurs else ()

    def _read_part(self, found: str, content: "_Content") -> Reading[None]:
        if found in self._thought_openings():
            content.drop_closing()
            assert self._thoughts is not None
            yield from self._thoughts.read_again()
            yield from self._read_answer_opening()
        elif self._tools and found in self._call_openings():
            yield from self._read_call(self._tools, found, content)
        else:
            yield from content.hold_closing(found)

    def _read_call(self, tools: ToolFormat, opening: str, content: "_Content") -> Reading[None]:
        source = self._source
        source.keep()
        yield from source.white_space()
        source.take(len(opening))
        is_call = yield from read_calls(tools, opening, self._answer)
        if not is_call:
            source.go_back()
            content((yield from source.white_space()) + source.take(len(opening)))
            source.passed = opening[-1]
        source.release()
        if is_call:
            content.drop_closing()
            if self._thoughts:
                yield from self._thoughts.read_again()

    def _read_answer_opening(self) -> Reading[None]:
        """The mark that some families put before the answer, and the white space around it."""
        openings = self._marks.answer_openings if self._marks else ()
        if not openings:
            return
        self._source.keep()
        yield from self._source.white_space()
        if (yield from self._source.accept(*openings)) is not None:
            yield from self._source.white_space()
        else:
            self._source.go_back()
        self._source.release()


class _Content:
    """Content on its way out. A mark that closes the answer is none of it if no more content follows."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._held = ""

    def __call__(self, text: str) -> None:
        self._answer.content(self._held + text)
        self._held = ""

    def hold_closing(self, mark: str) -> Reading[None]:
        """Reads a mark that may close the answer, and the white space around it."""
        source = self._answer.source
        before = yield from source.white_space()
        self._held += before + source.take(len(mark))
        self._held += yield from source.white_space()

    def drop_closing(self) -> None:
        """Something else than content follows."""
        self._held = ""


def _read_start(tools: ToolFormat, answer: Answer) -> Reading[None]:
    """The calls that an answer begins with, where only its beginning tells them from content."""
    source = answer.source
    source.keep()
    yield from source.white_space()
    opening = yield from source.accept(*tools.openings_at_start)
    if opening is None or not (yield from read_calls(tools, opening, answer)):
        source.go_back()
    source.release()


def read_calls(tools: ToolFormat, opening: str, answer: Answer) -> Reading[bool]:
    """Reads calls from behind their opening on. False if there was none: the text is then to be read again from where it was kept."""
    source, calls_before, is_loose = answer.source, answer.complete_calls, opening in tools.loose_openings
    answer.trust(is_certain=not is_loose)
    try:
        yield from tools.read(opening, answer)
    except Unreadable:
        is_cut = source.is_cut and source.is_starved
        was_delivered = answer.abandon_call(is_cut=is_cut)
        if is_cut and (was_delivered or not is_loose):
            source.take(len(source.rest))  # the beginning of a call, or of a mark: no text for the reader
        elif not was_delivered:
            source.go_back()
            if answer.complete_calls == calls_before:
                return False
    source.keep()
    yield from source.white_space()
    return True
