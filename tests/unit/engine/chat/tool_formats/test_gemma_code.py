"""Calls as Gemma 2 and 3 write them: Python in a fenced block."""

import pytest

from engine.chat.answers.answer_grammar import AnswerGrammar
from engine.chat.answers.formats import tool_format
from engine.chat.tool_formats.form import CallableTool
from engine.chat.tool_formats.gemma_code import GemmaCodeFormat
from tests.unit.engine.chat.reading import read
from tests.unit.engine.chat.tool_formats.checks import SCHEMAS, assert_reads

FORM = GemmaCodeFormat()
ROME = ("weather", {"city": "Rome", "days": 3})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('```tool_code\nweather(city="Rome", days=3)\n```', [ROME]),
        (
            'Let me see.\n```tool_code\nprint(weather(city="Rome", days=3))\nnow()\n```\nDone.',
            ["Let me see.", ROME, ("now", {}), "Done."],
        ),
        ('```tool_code\nprint(note(text="```"))', [("note", {"text": "```"})]),
    ],
)
def test_each_line_of_the_block_is_a_call(text, expected):
    assert_reads(FORM, text, expected)


@pytest.mark.parametrize(
    "text", ["```tool_code\nx = 1\n```", "```tool_code", "```python\nnow()\n```", "```tool_code\nnow(\n```"]
)
def test_other_code_is_content(text):
    assert "".join(map(str, read(text, FORM, **SCHEMAS))) == text


def test_the_form_is_known_from_a_template_and_has_a_grammar():
    assert isinstance(tool_format("Call functions within ```tool_code and ```."), GemmaCodeFormat)
    tools = [CallableTool("now", {"type": "object", "properties": {}, "additionalProperties": False}, is_strict=True)]
    assert 'now("' in AnswerGrammar({}).tools(FORM, tools, is_required=True, in_parallel=True)
