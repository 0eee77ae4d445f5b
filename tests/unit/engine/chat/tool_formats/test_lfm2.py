"""Calls as LFM2 writes them: as Python does, in a list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chat.tool_formats.lfm2 import Lfm2Format
from tests.unit.engine.chat.reading import read
from tests.unit.engine.chat.tool_formats.checks import SCHEMAS, assert_reads

FORM = Lfm2Format()


def calls(text: str) -> str:
    return f"<|tool_call_start|>[{text}]<|tool_call_end|>"


@pytest.mark.parametrize(
    ("written", "arguments"),
    [
        ('city="Rome", days=3', {"city": "Rome", "days": 3}),
        ("", {}),
        ("city='it\\'s', exact=True, other=None", {"city": "it's", "exact": True, "other": None}),
        ('a={"b": [true, null, (1, 2)]}, c=-1.5e3', {"a": {"b": [True, None, [1, 2]]}, "c": -1500.0}),
        (r'city="def f():\n\tprint(\"hi\")\\"', {"city": 'def f():\n\tprint("hi")\\'}),
        ("city=\"a), b(c=']')<|tool_call_end|>\"", {"city": "a), b(c=']')<|tool_call_end|>"}),
        ('city="""a "b"\nc""", days = 1 ,', {"city": 'a "b"\nc', "days": 1}),
        ('"Rome", 3, exact=False', {"city": "Rome", "days": 3, "exact": False}),
        (r'city="\u6771\x41\ud83d\ude42 é"', {"city": "東A\U0001f642 é"}),
    ],
)
def test_arguments_are_values_of_python(written, arguments):
    assert_reads(FORM, calls(f"weather({written})"), [("weather", arguments)])


def test_several_calls_and_text_around_them():
    text = f"Hm. {calls('now(), Calendar.create(a=1)')} so"
    assert_reads(FORM, text, ["Hm.", ("now", {}), ("Calendar.create", {"a": 1}), "so"])


def test_calls_may_be_json_too():
    text = calls('{"name": "weather", "arguments": {"city": "Rome"}}, {"name": "now", "arguments": {}}')
    assert_reads(FORM, text, [("weather", {"city": "Rome"}), ("now", {})])


def test_a_call_that_the_limit_cuts_is_told_as_far_as_it_goes():
    assert read("<|tool_call_start|>[weather(city=", FORM, is_cut=True, **SCHEMAS) == [("weather", '{"city": ')]


@pytest.mark.parametrize(
    "text",
    ["[link](https://example.org)", "<|tool_call_start|>", "<|tool_call_start|>[now(", '<|tool_call_start|>[now(a=b"c)]',
     "<|tool_call_start|>[now(1)]<|tool_call_end|>", "<|tool_call_start|>[2 + 2]<|tool_call_end|>"],
)  # fmt: skip
def test_what_is_no_call_is_content(text):
    assert "".join(map(str, read(text, FORM, **SCHEMAS))) == text


PARTS = [
    "<|tool_call_start|>",
    "[",
    "now",
    "(",
    ")",
    "]",
    ",",
    "=",
    "'",
    '"',
    "a",
    "1",
    " ",
    "True",
    "{",
    "}",
    "<|tool_call_end|>",
]


@given(st.lists(st.sampled_from(PARTS), max_size=16), st.booleans())
def test_any_row_of_parts_is_read_the_same_in_pieces(parts, is_cut):
    text = "".join(["<|tool_call_start|>[weather(", *parts])
    assert read(text, FORM, is_cut=is_cut, **SCHEMAS) == read(list(text), FORM, is_cut=is_cut, **SCHEMAS)
