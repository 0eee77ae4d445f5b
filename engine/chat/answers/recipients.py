"""Answers of functionary 3.2, which are turns: each begins with a line that says to whom it goes, all (the reader) or a function. The
prompt has the mark in front of the first.

Owns how turns follow one another. Must not know how a call's text is read, nor tokens.
"""

from collections.abc import Iterable

from engine.chat.answers.answer_grammar import AnswerGrammar
from engine.chat.answers.channels import Script, read_calls
from engine.chat.answers.reasoning import Thinking
from engine.chat.grammars.lark import TEXT, Lark
from engine.chat.reader.answer import Answer
from engine.chat.reader.source import Marks, Reading
from engine.chat.tool_formats.form import CallableTool, ToolFormat
from engine.chat.tool_formats.recipients import TURN, RecipientFormat
from engine.request import JsonObject

_TO_ALL = "all\n"
_TURN = Marks((TURN,))


def recipients_script(calls: RecipientFormat | None, *, in_parallel: bool = True) -> Script:
    """Reads turns to the end. A text that goes to nobody who is known is content."""

    def read(answer: Answer) -> Reading[None]:
        source = answer.source
        source.keep()
        mark = (yield from source.accept(TURN)) or ""
        while True:
            if not (yield from _begins(answer, calls, in_parallel=in_parallel)):
                source.go_back()
                answer.content(source.take(len(mark)))
            source.release()
            if (yield from source.until(_TURN, answer.content, trims=True)) is None:
                return
            source.keep()
            mark = (yield from source.white_space()) + (yield from source.expect(TURN))

    return read


def _begins(answer: Answer, calls: RecipientFormat | None, *, in_parallel: bool) -> Reading[bool]:
    """Whether a turn begins here; reads all of it that is no content."""
    if (yield from answer.source.accept(_TO_ALL)) is not None:
        return True
    if calls is None or (answer.complete_calls and not in_parallel):
        return False
    return (yield from read_calls(calls, TURN, answer))


class RecipientsGrammar(AnswerGrammar):
    """Grammars for one model. A prompt ends behind the first turn's mark."""

    def tools(
        self,
        form: ToolFormat,
        tools: Iterable[CallableTool],
        *,
        is_required: bool,
        in_parallel: bool,
        thinking: Thinking | None = None,
        answer_schema: JsonObject | None = None,
    ) -> str:
        """Calls; or, unless they are required, what goes to all, and calls behind it, or one JSON document if there is an
        `answer_schema`."""
        lark = Lark(self._tokens)
        calls = lark.rule("calls", form.rules(TURN, tuple(tools), lark, in_parallel=in_parallel))
        to_all = lark.text(_TO_ALL)
        if is_required:
            return lark.written(calls)
        if answer_schema is not None:
            return lark.written(f"{calls} | {to_all} {lark.json(answer_schema)}")
        return lark.written(f"{calls} | {to_all} ({TEXT} | {lark.until('until_turn', TURN)} {calls})")
