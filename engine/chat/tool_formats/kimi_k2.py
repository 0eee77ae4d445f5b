"""The form of Kimi K2: a section of calls, each with an id of the function's name and a number, `functions.name:0`, a mark and an object.

Owns that form and how far it may be bent: section marks and end marks left out.
"""

from dataclasses import replace

from engine.chat.grammars.lark import Lark
from engine.chat.reader.answer import Answer
from engine.chat.reader.source import Reading
from engine.chat.tool_formats.call_section import read_section
from engine.chat.tool_formats.form import CallableTool
from engine.chat.tool_formats.json_list import read_object
from engine.chat.tool_formats.plain_name import read_plain_name
from engine.chat.tool_formats.spelling import CallSpelling

SECTION_BEGIN, SECTION_END = "<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"
CALL_BEGIN, CALL_END = "<|tool_call_begin|>", "<|tool_call_end|>"
ARGUMENTS_BEGIN = "<|tool_call_argument_begin|>"
_PREFIX = "functions."
_ALONE = CallSpelling(
    f"{_PREFIX}{{plain_name}}:{{plain_id}}{ARGUMENTS_BEGIN}{{arguments}}{CALL_END}",
    opening="",
    separator=CALL_BEGIN,
    closing="",
    id_regex="(0|[1-9][0-9]{0,3})",
)
_IN_SECTION = replace(_ALONE, opening=CALL_BEGIN, closing=SECTION_END)


class KimiK2Format:
    """The form as a whole."""

    openings = (SECTION_BEGIN, CALL_BEGIN)
    openings_at_start = ()
    loose_openings = ()
    marks = (SECTION_END, CALL_END, ARGUMENTS_BEGIN)

    def read(self, opening: str, answer: Answer) -> Reading[None]:
        """Calls with white space around them, then the section's end mark."""
        if opening == CALL_BEGIN:
            answer.source.put_back(len(opening))
        yield from read_section(answer, CALL_BEGIN, SECTION_END, _read_call)

    def rules(self, opening: str, tools: tuple[CallableTool, ...], lark: Lark, *, in_parallel: bool) -> str:
        """The calls, and the section's end mark where it was opened."""
        return (_ALONE if opening == CALL_BEGIN else _IN_SECTION).rules(tools, lark, in_parallel=in_parallel)


def _read_call(answer: Answer) -> Reading[None]:
    call_id, _ = yield from read_plain_name(answer.source, ARGUMENTS_BEGIN)
    name, _, number = call_id.removeprefix(_PREFIX).rpartition(":")
    answer.begin_call(name or number, call_id if name else None)
    yield from read_object(answer)
    yield from answer.source.white_space()
    yield from answer.source.accept(CALL_END)
    answer.source.keep()
