"""The form of Llama 3: the answer is one JSON object with `name` and `parameters`; behind `<|python_tag|>` stands a call of a built-in
tool, `search.call(query="...")`, or code for one that runs Python.

Owns that form and how far it may be bent: such an object for an offered function may also stand behind text or the tag, several may follow
one another, each may lie in OpenAI's wrapper. It is written alone: the template refuses more than one call in its history.
Must not know thinking.
"""

import json

from engine.chat.grammars.lark import Lark
from engine.chat.reader.answer import Answer
from engine.chat.reader.source import Reading, Unreadable
from engine.chat.tool_formats.form import CallableTool
from engine.chat.tool_formats.json_call import WITHIN_JSON, JsonCall
from engine.chat.tool_formats.plain_name import read_plain_name
from engine.chat.tool_formats.python_code import PYTHON_TAG, read_python_code
from engine.chat.tool_formats.spelling import CallSpelling

_WRITTEN = '{"name": '
_BUILT_IN = ("brave_search", "wolfram_alpha")
_SPELLING = CallSpelling('{name}, "parameters": {arguments}}', opening="", closing="", is_alone=True)
_CALL = JsonCall(arguments=("parameters", "arguments"), is_marked=False)


class LlamaFormat:
    """The form as a whole."""

    openings = ()
    openings_at_start = (_WRITTEN,)
    loose_openings = ("{", PYTHON_TAG)
    marks = ()

    def read(self, opening: str, answer: Answer) -> Reading[None]:
        """One call, or several objects with white space, commas or semicolons between them."""
        source = answer.source
        if opening == "{" and source.passed and source.passed in WITHIN_JSON:
            raise Unreadable("it is part of a larger document")
        if opening != PYTHON_TAG:
            source.put_back(len(opening))
        yield from source.white_space()
        if (yield from source.peek()) == "{":
            yield from _read_objects(answer)
        elif (yield from _read_built_in(answer)) is None:
            yield from read_python_code(answer)

    def rules(self, opening: str, tools: tuple[CallableTool, ...], lark: Lark, *, in_parallel: bool) -> str:
        """One call."""
        return _SPELLING.rules(tools, lark, in_parallel=in_parallel)


def _read_objects(answer: Answer) -> Reading[None]:
    source = answer.source
    while True:
        yield from _CALL.read(answer)
        yield from source.white_space()
        separator = yield from source.accept(";", ",")
        yield from source.white_space()
        if (yield from source.peek()) != "{":
            if separator:
                raise Unreadable("another call follows")
            return


def _read_built_in(answer: Answer) -> Reading[str | None]:
    """Reads a call with named arguments, as in Python, and gives the function's name; None if there is none."""
    source = answer.source
    names = (*answer.offered, *_BUILT_IN)
    found = yield from source.accept(*(f"{name}.call(" for name in names))
    if found is None:
        return None
    answer.begin_call(found.removesuffix(".call("))
    opening = "{"
    while (yield from source.accept(")")) is None:
        if opening != "{":
            yield from source.expect(",")
            yield from source.white_space()
        key, _ = yield from read_plain_name(source, "=", no_name=("\n", ")", ",", '"'))
        answer.arguments(f"{opening}{json.dumps(key)}: ")
        yield from source.json(answer.arguments)
        opening = ", "
    answer.arguments("{}" if opening == "{" else "}")
    answer.end_call()
    return found
