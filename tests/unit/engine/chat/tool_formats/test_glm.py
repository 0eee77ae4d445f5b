"""Calls as GLM and its kin write them."""

import pytest

from engine.chat.tool_formats.glm import glm_format
from tests.unit.engine.chat.reading import read
from tests.unit.engine.chat.tool_formats.checks import SCHEMAS, assert_reads

FORM = glm_format()


def call(name: str, gap: str, **values: str) -> str:
    pairs = "".join(
        f"<arg_key>{key}</arg_key>{gap}<arg_value>{value}</arg_value>{gap}" for key, value in values.items()
    )
    return f"<tool_call>{name}{gap}{pairs}</tool_call>"


@pytest.mark.parametrize("gap", ["", "\n"])
def test_calls_are_read_with_and_without_line_breaks(gap):
    text = call("weather", gap, city="Rome", days="3")
    assert_reads(FORM, text, [("weather", {"city": "Rome", "days": 3})])
    assert_reads(
        FORM,
        f"Hm. {text}{gap}{call('now', gap)} so",
        ["Hm.", ("weather", {"city": "Rome", "days": 3}), ("now", {}), "so"],
    )


@pytest.mark.parametrize(
    "value", ["", "\n a\n", "5", '{"a": 1}', "東京", "contains <tool_call> and </arg_value> too", "</tool_call>"]
)
def test_a_string_is_the_text_between_its_tags(value):
    assert_reads(FORM, call("weather", "\n", city=value), [("weather", {"city": value})])


def test_other_values_are_json():
    text = call("note", "", tags='["a", {"b": 1}]', more="{}", by="null")
    assert_reads(FORM, text, [("note", {"tags": ["a", {"b": 1}], "more": {}, "by": None})])


@pytest.mark.parametrize(
    "text", ["<tool_call>", "a <tool_call> b\nc", "<tool_call>weather\n<arg_key>city", '<tool_call>{"name": "now"}']
)
def test_what_is_no_call_is_content(text):
    assert "".join(map(str, read(text, FORM, **SCHEMAS))) == text
