"""The form of Gemma 2 and 3, whose prompts ask for code: a fenced block of `tool_code`, each line of it a call as Python writes it.

Owns that form. A call may stand within `print`. Must not know how a call is spelled.
"""

from engine.chat.grammars.lark import Lark
from engine.chat.reader.answer import Answer
from engine.chat.reader.source import Reading
from engine.chat.tool_formats.form import CallableTool
from engine.chat.tool_formats.python_call import python_call_rule, read_python_call

OPEN = "```tool_code"
CLOSE = "```"
_PRINT = "print("


class GemmaCodeFormat:
    """The form as a whole."""

    openings = (OPEN,)
    openings_at_start = ()
    loose_openings = ()
    marks = ()

    def read(self, opening: str, answer: Answer) -> Reading[None]:
        """Calls up to the closing fence, which may be missing at the answer's end."""
        source = answer.source
        is_closed = False
        while not is_closed:
            yield from source.white_space()
            is_printed = (yield from source.accept(_PRINT)) is not None
            yield from read_python_call(answer)
            if is_printed:
                yield from source.white_space()
                yield from source.expect_or_end(")")
            yield from source.white_space()
            is_closed = (yield from source.accept_or_end(CLOSE)) is not None or not source.rest

    def rules(self, opening: str, tools: tuple[CallableTool, ...], lark: Lark, *, in_parallel: bool) -> str:
        """Each call in its own line."""
        call = lark.rule("call", " | ".join(python_call_rule(tool, number, lark) for number, tool in enumerate(tools)))
        line = rf'"\n" {call}'
        return rf'{line} ({line})* "\n{CLOSE}"' if in_parallel else rf'{line} "\n{CLOSE}"'
