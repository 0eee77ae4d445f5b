"""The form of functionary 3.1: `<function=name>`, an object, `</function>`; behind `<|python_tag|>` Python code, or its JSON."""

from engine.chat.grammars.lark import Lark
from engine.chat.reader.answer import Answer
from engine.chat.reader.source import Reading
from engine.chat.tool_formats.form import CallableTool
from engine.chat.tool_formats.json_list import read_object
from engine.chat.tool_formats.plain_name import read_plain_name
from engine.chat.tool_formats.python_code import PYTHON_TAG, read_python_code
from engine.chat.tool_formats.spelling import CallSpelling

OPEN, CLOSE = "<function=", "</function>"
_SPELLING = CallSpelling(f"{{plain_name}}>{{arguments}}{CLOSE}", opening="", separator=OPEN, closing="")
_PYTHON = "python"


class FunctionaryFormat:
    """The form as a whole."""

    openings = (OPEN,)
    openings_at_start = ()
    loose_openings = (PYTHON_TAG,)
    marks = (CLOSE,)

    def read(self, opening: str, answer: Answer) -> Reading[None]:
        """One call."""
        source = answer.source
        yield from source.white_space()
        if opening == OPEN:
            name, _ = yield from read_plain_name(source, ">", no_name=("\n", "<", "{"))
            answer.begin_call(name)
            yield from read_object(answer)
            yield from source.white_space()
            yield from source.expect_or_end(CLOSE)
        elif answer.offers(_PYTHON) and (yield from source.peek()) == "{":
            answer.begin_call(_PYTHON)
            yield from read_object(answer)
        else:
            yield from read_python_code(answer, ends=(OPEN, PYTHON_TAG))

    def rules(self, opening: str, tools: tuple[CallableTool, ...], lark: Lark, *, in_parallel: bool) -> str:
        """The calls one after the other."""
        return _SPELLING.rules(tools, lark, in_parallel=in_parallel)
