"""Calls as Gemma 4 writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chat.tool_formats.gemma4 import Gemma4Format
from tests.unit.engine.chat.reading import read
from tests.unit.engine.chat.tool_formats.checks import SCHEMAS, assert_reads

FORM = Gemma4Format()
Q = '<|"|>'


def call(name: str, arguments: str) -> str:
    return f"<|tool_call>call:{name}{{{arguments}}}<tool_call|>"


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        (f"city:{Q}San Francisco{Q}", {"city": "San Francisco"}),
        (f"city:{Q}{Q},days:-7", {"city": "", "days": -7}),
        (f'city:{Q}a "b" \\ {{,}}]:\n 東京{Q}', {"city": 'a "b" \\ {,}]:\n 東京'}),
        ("", {}),
        ("a:3.14,b:1.5e10,c:true,d:null", {"a": 3.14, "b": 1.5e10, "c": True, "d": None}),
        (f"tags:[{Q}x{Q},{Q}y, z{Q}],none:[],empty:{{}}", {"tags": ["x", "y, z"], "none": [], "empty": {}}),
        (f"more:{{theme:{Q}dark{Q},{Q}a key{Q}:[{{n:1}},2]}}", {"more": {"theme": "dark", "a key": [{"n": 1}, 2]}}),
        (f' city : {Q}x{Q} , days: 3 ', {"city": "x", "days": 3}),
        ('city:"x, y",who:Ann Lee', {"city": "x, y", "who": "Ann Lee"}),
    ],
)  # fmt: skip
def test_values_are_json_but_for_keys_and_strings(arguments, values):
    assert_reads(FORM, call("note", arguments), [("note", values)])


def test_several_calls_and_text_around_them():
    text = f"Hm.\n{call('now', '')}{call('weather', f'city:{Q}Rome{Q}')} so"
    assert_reads(FORM, text, ["Hm.", ("now", {}), ("weather", {"city": "Rome"}), "so"])


def test_the_end_mark_may_be_missing_and_an_answer_may_seem_to_begin():
    assert_reads(FORM, "<|tool_call>call:now{}", [("now", {})])
    assert_reads(FORM, call("now", "") + "<|tool_response>", [("now", {})])


@pytest.mark.parametrize(
    "text", ["<|tool_call>", "<|tool_call>call:now", "<|tool_call>call:now{a", f"<|tool_call>call:now{{a:{Q}b}}"]
)
def test_what_is_no_call_is_content(text):
    assert "".join(map(str, read(text, FORM, **SCHEMAS))) == text


PARTS = ["<|tool_call>", "call:", "now", "{", "}", "[", "]", ",", ":", Q, "a", "1", " ", "<tool_call|>"]


@given(st.lists(st.sampled_from(PARTS), max_size=16), st.booleans())
def test_any_row_of_parts_is_read_the_same_in_pieces(parts, is_cut):
    text = "".join(["<|tool_call>call:f{", *parts])
    assert read(text, FORM, is_cut=is_cut) == read(list(text), FORM, is_cut=is_cut)
