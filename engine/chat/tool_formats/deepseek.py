"""The forms of DeepSeek: calls between two marks, each between two more. Within, R1 and V3 write `function`, a mark, the function's name
and a fenced object; V3.1 writes the name, the mark and the object.

Owns these forms; both are read from any of these models, and the one that the template shows is written. V3.2 has a form of its own.
"""

from dataclasses import dataclass

from engine.chat.grammars.lark import Lark
from engine.chat.reader.answer import Answer
from engine.chat.reader.source import Reading
from engine.chat.tool_formats.call_section import read_section
from engine.chat.tool_formats.form import CallableTool
from engine.chat.tool_formats.json_list import read_object
from engine.chat.tool_formats.plain_name import read_plain_name
from engine.chat.tool_formats.spelling import CallSpelling

_MARK = "<\uff5c{}\uff5c>"
"""The bars are full width, and between words stands a block: no other text has these."""
CALLS_BEGIN, CALLS_END = _MARK.format("tool\u2581calls\u2581begin"), _MARK.format("tool\u2581calls\u2581end")
CALL_BEGIN, CALL_END = _MARK.format("tool\u2581call\u2581begin"), _MARK.format("tool\u2581call\u2581end")
NAME_END = _MARK.format("tool\u2581sep")
FENCE = "```json"
_FENCE_END = "```"
_FENCED = CallSpelling(
    f"{CALL_BEGIN}function{NAME_END}{{plain_name}}\n{FENCE}\n{{arguments}}\n{_FENCE_END}{CALL_END}",
    opening="",
    separator="\n",
    closing=CALLS_END,
)
_BARE = CallSpelling(
    f"{CALL_BEGIN}{{plain_name}}{NAME_END}{{arguments}}{CALL_END}", opening="", separator="", closing=CALLS_END
)


@dataclass(frozen=True)
class DeepSeekFormat:
    """The form as the template shows it: arguments in a fence, or bare."""

    is_fenced: bool = False

    openings = (CALLS_BEGIN,)
    openings_at_start = ()
    loose_openings = (CALL_BEGIN, *map(_MARK.format, ("tool_calls_begin", "tool calls begin", r"tool\_calls\_begin")))
    marks = (CALLS_END, CALL_END, NAME_END)

    def read(self, opening: str, answer: Answer) -> Reading[None]:
        """Calls with white space around them, then the end mark."""
        if opening == CALL_BEGIN:
            answer.source.put_back(len(opening))
        yield from read_section(answer, CALL_BEGIN, CALLS_END, _read_call)

    def rules(self, opening: str, tools: tuple[CallableTool, ...], lark: Lark, *, in_parallel: bool) -> str:
        """The calls up to the end mark."""
        return (_FENCED if self.is_fenced else _BARE).rules(tools, lark, in_parallel=in_parallel)


def _read_call(answer: Answer) -> Reading[None]:
    source = answer.source
    name, _ = yield from read_plain_name(source, NAME_END)
    yield from source.white_space()
    is_fenced = (yield from source.peek()) != "{"
    if is_fenced:
        name, _ = yield from read_plain_name(source, FENCE, no_name=("{", CALL_END))
        answer.begin_call(name)
    else:
        answer.begin_call(name)
    yield from read_object(answer)
    yield from source.white_space()
    if is_fenced:
        yield from source.expect_or_end(_FENCE_END)
        yield from source.white_space()
    yield from source.expect_or_end(CALL_END)
    source.keep()
