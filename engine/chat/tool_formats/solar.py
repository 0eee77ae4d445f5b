"""The form of Solar Open: calls of an id, a name and an object, each behind a mark of its own, within one block.

Owns that form and how far it may be bent: end marks left out at the text's end.
"""

from engine.chat.grammars.lark import Lark
from engine.chat.reader.answer import Answer
from engine.chat.reader.source import Reading
from engine.chat.tool_formats.call_section import read_section
from engine.chat.tool_formats.form import CallableTool
from engine.chat.tool_formats.json_list import read_object
from engine.chat.tool_formats.plain_name import read_plain_name
from engine.chat.tool_formats.spelling import CallSpelling

BEGIN, END = "<|tool_calls|>", "<|calls|>"
CALL_BEGIN, CALL_END = "<|tool_call:begin|>", "<|tool_call:end|>"
NAME_BEGIN, ARGUMENTS_BEGIN = "<|tool_call:name|>", "<|tool_call:args|>"
_SPELLING = CallSpelling(
    f"{CALL_BEGIN}{{plain_id}}{NAME_BEGIN}{{plain_name}}{ARGUMENTS_BEGIN}{{arguments}}{CALL_END}",
    opening="",
    separator="",
    closing=END,
    id_regex="[a-z0-9]{10}",
)


class SolarFormat:
    """The form as a whole."""

    openings = (BEGIN,)
    openings_at_start = ()
    loose_openings = ()
    marks = (END, CALL_BEGIN, CALL_END, NAME_BEGIN, ARGUMENTS_BEGIN)

    def read(self, opening: str, answer: Answer) -> Reading[None]:
        """Calls with white space around them, then the end mark."""
        yield from read_section(answer, CALL_BEGIN, END, _read_call)

    def rules(self, opening: str, tools: tuple[CallableTool, ...], lark: Lark, *, in_parallel: bool) -> str:
        """The calls and the end mark."""
        return _SPELLING.rules(tools, lark, in_parallel=in_parallel)


def _read_call(answer: Answer) -> Reading[None]:
    call_id, _ = yield from read_plain_name(answer.source, NAME_BEGIN)
    name, _ = yield from read_plain_name(answer.source, ARGUMENTS_BEGIN)
    answer.begin_call(name, call_id or None)
    yield from read_object(answer)
    yield from answer.source.white_space()
    yield from answer.source.expect_or_end(CALL_END)
    answer.source.keep()
