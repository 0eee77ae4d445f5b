"""The form of LFM2: `<|tool_call_start|>[name(argument="value")]<|tool_call_end|>`, a list of calls in Python, or in JSON.

Owns that form. Must not know how one call is spelled.
"""

from engine.chat.grammars.lark import Lark
from engine.chat.reader.answer import Answer
from engine.chat.reader.source import Reading
from engine.chat.tool_formats.form import CallableTool
from engine.chat.tool_formats.json_call import JsonCall
from engine.chat.tool_formats.json_list import read_json_list
from engine.chat.tool_formats.python_call import python_call_rule, read_python_call

OPEN = "<|tool_call_start|>"
CLOSE = "<|tool_call_end|>"
TAUGHT_BY = ("<|im_start|>", "List of tools: ")
"""Texts of its templates, none of which shows the marks themselves."""


_JSON = JsonCall()


class _Call:
    def read(self, answer: Answer) -> Reading[None]:
        """One call in either spelling."""
        is_json = (yield from answer.source.peek()) == "{"
        yield from _JSON.read(answer) if is_json else read_python_call(answer)


class Lfm2Format:
    """The form as a whole."""

    openings = (OPEN,)
    openings_at_start = ()
    loose_openings = ()
    marks = (CLOSE,)

    def read(self, opening: str, answer: Answer) -> Reading[None]:
        """The list with white space around it, then the end mark, which may be missing."""
        yield from answer.source.white_space()
        yield from read_json_list(answer, _Call())
        yield from answer.source.white_space()
        yield from answer.source.expect_or_end(CLOSE)

    def rules(self, opening: str, tools: tuple[CallableTool, ...], lark: Lark, *, in_parallel: bool) -> str:
        """All calls in one list."""
        call = lark.rule("call", " | ".join(python_call_rule(tool, number, lark) for number, tool in enumerate(tools)))
        further = f'(", " {call})*' if in_parallel else ""
        return f'"[" {call} {further} "]" {lark.text(CLOSE)}'
