"""Calls for templates that show tools but no form of call that is known: the answer is one JSON object with `name` and `arguments`.

Owns that form, and what else is taken for a call of an offered function: such objects behind text, in an array, in a fence, in OpenAI's
wrapper, or in Hermes' tags. Nothing is added to the prompt: it is what models write that were taught none of the marked forms.
"""

from engine.chat.grammars.lark import Lark
from engine.chat.reader.answer import Answer
from engine.chat.reader.source import Reading, Unreadable
from engine.chat.tool_formats import hermes
from engine.chat.tool_formats.form import CallableTool
from engine.chat.tool_formats.json_call import WITHIN_JSON, JsonCall
from engine.chat.tool_formats.json_list import read_json_list
from engine.chat.tool_formats.spelling import CallSpelling

_WRITTEN = '{"name": '
_FENCE = "```"
_BRACKETS = ("{", "[")
UNMARKED = (*_BRACKETS, f"{_FENCE}json", _FENCE)
"""What opens calls that nothing marks."""
_SPELLING = CallSpelling('{name}, "arguments": {arguments}}', opening="", closing="", is_alone=True)
_CALL = JsonCall(wrappers=("function", "tool_call"), is_marked=False)


class GenericFormat:
    """The form as a whole. What it reads loosely, others may, too."""

    openings = ()
    openings_at_start = (_WRITTEN,)
    loose_openings = (*UNMARKED, hermes.OPEN)
    marks = (hermes.CLOSE,)

    def read(self, opening: str, answer: Answer) -> Reading[None]:
        """One object, or several."""
        source = answer.source
        if opening in _BRACKETS and source.passed and source.passed in WITHIN_JSON:
            raise Unreadable("it is part of a larger document")
        if opening.startswith(_BRACKETS):
            source.put_back(len(opening))
        yield from source.white_space()
        yield from read_json_list(answer, _CALL)
        yield from source.white_space()
        if opening == hermes.OPEN:
            yield from source.expect_or_end(hermes.CLOSE)
        elif opening.startswith(_FENCE):
            yield from source.expect_or_end(_FENCE)

    def rules(self, opening: str, tools: tuple[CallableTool, ...], lark: Lark, *, in_parallel: bool) -> str:
        """One call."""
        return _SPELLING.rules(tools, lark, in_parallel=in_parallel)


class ToldFormat(hermes.HermesFormat):
    """Hermes' form where the prompt tells of it in words: models that were not trained on it forget its tags, or write a fence instead."""

    loose_openings = UNMARKED

    def read(self, opening: str, answer: Answer) -> Reading[None]:
        """What is tagged is read strictly, the rest as the generic form is."""
        if opening == hermes.OPEN:
            yield from super().read(opening, answer)
        else:
            yield from GenericFormat().read(opening, answer)
