"""Calls as Qwen3-Coder and its kin write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chat.tool_formats.qwen_xml import qwen_xml_format
from tests.unit.engine.chat.reading import read
from tests.unit.engine.chat.tool_formats.checks import SCHEMAS, assert_reads

FORM = qwen_xml_format()


def call(name: str, **values: str) -> str:
    parameters = "".join(f"<parameter={key}>\n{value}\n</parameter>\n" for key, value in values.items())
    return f"<tool_call>\n<function={name}>\n{parameters}</function>\n</tool_call>"


ROME = ("weather", {"city": "Rome"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (call("weather", city="Rome", days="3", exact="true"), [("weather", {"city": "Rome", "days": 3, "exact": True})]),
        (call("now"), [("now", {})]),
        (f"Let me see.\n\n{call('weather', city='Rome')}\nDone.", ["Let me see.", ROME, "Done."]),
        (f"{call('weather', city='Rome')}\n{call('now')}", [ROME, ("now", {})]),
        (call("weather", city="Rome").removeprefix("<tool_call>\n"), [ROME]),
        (f"Hm.\n{call('weather', city='Rome').removeprefix('<tool_call>')}\n{call('now')}", ["Hm.", ROME, ("now", {})]),
        ("<tool_call><function=weather><parameter=city>Rome</parameter></function></tool_call>", [ROME]),
        ("<tool_call>\n<function=weather>\n<parameter=city>\nRome\n</parameter>\n</tool_call>", [ROME]),
        ("<tool_call>\n<function=weather>\n<parameter=city>\nRome\n</parameter>\n</function>", [ROME]),
        ("<tool_call>\n<function=now>\n</function>\n<function=now>\n</function>\n</tool_call>", [("now", {})] * 2),
    ],
)  # fmt: skip
def test_calls_are_read_wherever_they_stand_and_with_tags_left_out(text, expected):
    assert_reads(FORM, text, expected)


@pytest.mark.parametrize(
    "value",
    ["", " ", "    print('hi')", "a\n", "\na", "\n", '"quoted" \\ {"a": 1}', "5", "true", "東京 \U0001f642", "<b>{[</b>", "</parameter>",
     "a\n</parameter>\nb </function>", "<tool_call>\n<function=now>", "a </tool_call> b", "<parameter=city>\nx"],
)  # fmt: skip
def test_a_string_is_the_text_between_its_line_breaks_whatever_it_speaks_of(value):
    assert_reads(FORM, call("weather", city=value), [("weather", {"city": value})])


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("tags", '["a", {"b": [1, 2.5e3]}]', ["a", {"b": [1, 2500.0]}]),
        ("tags", "['it\\'s', True, None]", ["it's", True, None]),
        ("more", '\n{"a":\n 1}', {"a": 1}),
        ("by", "null", None),
        ("by", "123 Main St", "123 Main St"),
        ("by", "5", "5"),
        ("by", '"Ann"', '"Ann"'),
        ("unknown", "5", 5),
        ("unknown", "five", "five"),
        ("more", "none of it", "none of it"),
    ],
)
def test_other_values_are_what_the_schema_says(key, text, value):
    assert_reads(FORM, call("note", **{key: text}), [("note", {key: value})])


def test_python_spells_constants_in_capitals():
    assert_reads(FORM, call("weather", city="None", exact="False"), [("weather", {"city": "None", "exact": False})])


@pytest.mark.parametrize(
    "text",
    ["<tool_call>", "Use <tool_call> and <function=name> for it.", "<function=now>", "<tool_call>\n<function=>\n</function>",
     "<tool_call>\n<function=weather>\n<parameter=city>\nRome", "<function=a\nb>", "<tool_call>{}</tool_call>"],
)  # fmt: skip
def test_what_is_no_call_is_content(text):
    assert "".join(map(str, read(text, FORM, **SCHEMAS))) == text


def test_a_call_that_the_limit_cuts_is_told_as_far_as_it_goes():
    text = call("weather", city="New York", days="3")
    found = read(text[: text.index("York") + 2], FORM, is_cut=True, **SCHEMAS)
    assert found == [("weather", '{"city": "New Yo')]


@given(st.lists(st.sampled_from(["<tool_call>", "\n", "<function=weather>", "<parameter=city>", "a", "</parameter>", "</function>",
                                 "</tool_call>", "<parameter=days>", "3", "{"]), max_size=14), st.data())  # fmt: skip
def test_any_row_of_tags_is_read_the_same_in_pieces(tags, data):
    text = "".join(tags)
    cut = data.draw(st.integers(0, len(text)))
    assert (
        read([text[:cut], text[cut:]], FORM, **SCHEMAS)
        == read(text, FORM, **SCHEMAS)
        == read(list(text), FORM, **SCHEMAS)
    )
