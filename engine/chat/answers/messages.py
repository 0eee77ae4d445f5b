"""Answers that are messages, each with a header: thinking, calls, and what is for the reader.

Owns how messages follow one another and what becomes of each. Must not know what a family's headers look like, how a call's text is read,
nor tokens.
"""

from engine.chat.answers.channels import Script, read_calls
from engine.chat.answers.reasoning import Thinking
from engine.chat.reader.answer import Answer
from engine.chat.reader.source import Emit, Marks, Reading
from engine.chat.tool_formats.message_form import MESSAGE, NEXT, Header, MessageFormat

_BETWEEN = "\n\n"
"""Between two messages of one kind, which readers see as one text."""


def messages_script(
    thinking: Thinking | None, form: MessageFormat, *, reads_calls: bool, in_parallel: bool = True
) -> Script:
    """Reads messages to the end. Without `thinking`, or where that is not split, thoughts are content, with their marks."""

    def read(answer: Answer) -> Reading[None]:
        yield from _Messages(answer, thinking, form, reads_calls=reads_calls, in_parallel=in_parallel).read()

    return read


class _Messages:
    """Reads the messages of one answer."""

    def __init__(
        self, answer: Answer, thinking: Thinking | None, form: MessageFormat, *, reads_calls: bool, in_parallel: bool
    ) -> None:
        self._answer = answer
        self._source = answer.source
        self._opened = thinking.opened if thinking else ""
        self._is_split = thinking is not None and thinking.is_split
        self._form = form
        self._header_ends = Marks((MESSAGE, *form.closings))
        self._ends = Marks((*form.closings, *form.beginnings))
        self._reads_calls = reads_calls
        self._in_parallel = in_parallel
        self._said: set[str] = set()

    def read(self) -> Reading[None]:
        if self._opened:
            yield from self._thought(self._opened)
        while (yield from self._source.peek()):
            yield from self._message()
            yield from self._source.accept(*self._form.closings)

    def _message(self) -> Reading[None]:
        """One message with its header, if it has one; text without is content."""
        source = self._source
        source.keep()
        yield from source.white_space()
        text = yield from self._header()
        if text is None:
            source.go_back()
            source.release()
            yield from self._headless()
            return
        header = self._form.header(text)
        if header.is_thought:
            source.release()
            yield from self._thought(text.removeprefix(NEXT))
        elif header.function:
            yield from self._call(text, header)
        else:
            source.release()
            yield from self._text(self._separated("content", self._answer.content))

    def _headless(self) -> Reading[None]:
        """Text without a header, or the white space before one that the limit cut off."""
        source = self._source
        if source.is_cut and not source.rest.strip():
            source.take(len(source.rest))
        self._answer.content(
            (yield from source.accept(*self._form.header_starts)) or ""
        )  # which began a header and did not end it
        yield from self._text(self._answer.content)

    def _header(self) -> Reading[str | None]:
        """The text of a header with its end mark; None, and nothing is settled, if none stands here."""
        source = self._source
        taken = yield from source.accept(*self._form.header_starts)
        if taken is None:
            return None
        pieces = [taken]
        if taken != MESSAGE:
            if (yield from source.until(self._header_ends, pieces.append)) != MESSAGE:
                if source.is_cut:
                    source.keep()
                return None
            pieces.append(source.take(len(MESSAGE)))
        return "".join(pieces)

    def _thought(self, header: str) -> Reading[None]:
        answer = self._answer
        answer.is_reasoning, answer.closes_reasoning = True, self._form.closings[0]
        if self._is_split:
            yield from self._text(self._separated("reasoning", answer.reasoning))
        else:
            answer.content(header)
            yield from self._text(answer.content)
        answer.is_reasoning = False
        end = (yield from self._source.accept(*self._form.closings)) or ""
        if not self._is_split:
            answer.content(end)

    def _call(self, text: str, header: Header) -> Reading[None]:
        """What goes to a tool that was not offered is content."""
        source, calls_before = self._source, self._answer.complete_calls
        may_call = self._reads_calls and (self._in_parallel or not calls_before)
        if not may_call or not (header.is_call or self._answer.first_offered(header.function)):
            source.release()
            yield from self._text(self._separated("content", self._answer.content))
            return
        source.keep()
        if not (yield from read_calls(self._form, text, self._answer)):
            yield from self._text(self._separated("content", self._answer.content))
        source.release()

    def _text(self, emit: Emit) -> Reading[None]:
        yield from self._source.until(self._ends, emit)

    def _separated(self, kind: str, emit: Emit) -> Emit:
        """Emits something between texts of the same kind, before the later one."""
        if kind not in self._said:
            self._said.add(kind)
            return emit
        pending = [_BETWEEN]

        def emit_separated(text: str) -> None:
            emit(pending.pop() + text if pending else text)

        return emit_separated
