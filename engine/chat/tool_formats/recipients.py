"""The calls of functionary 3.2: turns that begin with the function's name on a line of its own, whose text is the arguments' JSON.

Owns what such a turn is. Must not know the turns around it: `engine/chat/answers/recipients.py` reads those.
"""

from engine.chat.grammars.lark import SPACED, Lark
from engine.chat.reader.answer import Answer
from engine.chat.reader.source import Reading, Unreadable
from engine.chat.tool_formats.form import CallableTool, written_arguments
from engine.chat.tool_formats.json_list import read_object
from engine.chat.tool_formats.plain_name import read_plain_name
from engine.chat.tool_formats.python_code import read_python_code, runs_python

TURN = ">>>"
SHOWN = ">>>${recipient}"
"""How the template explains it."""


class RecipientFormat:
    """The calls as a form."""

    openings = (TURN,)
    openings_at_start = ()
    loose_openings = ()
    marks = ()

    def read(self, opening: str, answer: Answer) -> Reading[None]:
        """One call, or the code that a function runs."""
        name, _ = yield from read_plain_name(answer.source, "\n", no_name=(" ", "{", '"', TURN))
        if not answer.offers(name):
            raise Unreadable("it goes to nobody who is known")
        if runs_python(name) and (yield from answer.source.peek()) not in ("{", ""):
            yield from read_python_code(answer, ends=(TURN,))
            return
        answer.begin_call(name)
        yield from read_object(answer)

    def rules(self, opening: str, tools: tuple[CallableTool, ...], lark: Lark, *, in_parallel: bool) -> str:
        """Calls, the first without a mark."""
        call = lark.rule("call", " | ".join(_call(tool, lark) for tool in tools))
        return f"{call} ({lark.text(TURN)} {call})*" if in_parallel else call


def _call(tool: CallableTool, lark: Lark) -> str:
    name = f"{tool.name}\n"
    return f"{lark.text(name)} {written_arguments(tool, lark, spacing=SPACED)}"
