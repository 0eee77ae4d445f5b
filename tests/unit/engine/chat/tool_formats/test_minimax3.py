"""Calls as MiniMax-M3 writes them: elements within elements."""

import pytest

from engine.chat.answers.formats import tool_format
from engine.chat.tool_formats.minimax3 import MiniMax3Format
from tests.unit.engine.chat.reading import read
from tests.unit.engine.chat.tool_formats.checks import SCHEMAS, assert_reads

FORM = MiniMax3Format()
MARK = "]<]minimax[>["


def marked(text: str) -> str:
    """A text with the mark before each tag."""
    return text.replace("<", f"{MARK}<")


def calls(*elements: str) -> str:
    return marked("<tool_call>\n" + "".join(f"{element}</invoke>\n" for element in elements) + "</tool_call>")


@pytest.mark.parametrize(
    ("elements", "arguments"),
    [
        ("<city>Rome</city><days>-3</days><exact>true</exact>", {"city": "Rome", "days": -3, "exact": True}),
        ("<city></city>", {"city": ""}),
        ("<city>\n 5 > 3 \n</city>", {"city": "\n 5 > 3 \n"}),
        ("", {}),
    ],
)
def test_values_are_what_the_schema_says(elements, arguments):
    assert_reads(FORM, calls(f'<invoke name="weather">{elements}'), [("weather", arguments)])


def test_objects_and_arrays_are_elements():
    elements = "<tags><item>a</item><item><id>1</id></item></tags><more><x>2.5</x><y><z>b</z></y></more>"
    arguments = {"tags": ["a", {"id": 1}], "more": {"x": 2.5, "y": {"z": "b"}}}
    assert_reads(FORM, calls(f'<invoke name="note">{elements}'), [("note", arguments)])


def test_several_calls_and_text_around_them():
    written = calls('<invoke name="now">', '<invoke name="weather"><city>Rome</city>')
    assert_reads(FORM, f"Hm.\n{written} so", ["Hm.", ("now", {}), ("weather", {"city": "Rome"}), "so"])


@pytest.mark.parametrize("text", ["<tool_call>", "<tool_call>\nnothing", '<tool_call><invoke name="now"><a>5'])
def test_what_is_no_call_is_content(text):
    assert "".join(map(str, read(marked(text), FORM, **SCHEMAS))) == marked(text)


def test_the_form_is_known_from_a_template():
    assert isinstance(tool_format(f"{{% set mark = '{MARK}' %}} '<tool_call>'"), MiniMax3Format)
