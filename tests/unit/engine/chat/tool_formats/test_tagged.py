"""Calls written as tags, of the families whose tags differ and nothing else."""

import pytest

from engine.chat.tool_formats.dsml import MARK, V4_BLOCK, V32_BLOCK, dsml_format
from engine.chat.tool_formats.hunyuan import hunyuan_format
from engine.chat.tool_formats.kimi_k3 import kimi_k3_format
from engine.chat.tool_formats.minicpm import minicpm_format
from engine.chat.tool_formats.minimax import minimax_format
from engine.chat.tool_formats.seed import seed_format
from tests.unit.engine.chat.reading import read
from tests.unit.engine.chat.tool_formats.checks import SCHEMAS, assert_reads

ROME, NOW = ("weather", {"city": "Rome", "days": 3}), ("now", {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            (
                "Hm.\n<seed:tool_call>\n<function=weather>\n<parameter=city>Rome</parameter>\n<parameter=days>3</parameter>\n</function>\n"
                "</seed:tool_call>\n<seed:tool_call>\n<function=now>\n</function>\n</seed:tool_call> so"
            ),
            ["Hm.", ROME, NOW, "so"],
        ),
        (
            (
                "<seed:tool_call><function=note><parameter=text>\ndef f():\n    pass\n</parameter><parameter=more>{'a': None}</parameter>"
                "</seed:tool_call>"
            ),
            [("note", {"text": "\ndef f():\n    pass\n", "more": {"a": None}})],
        ),
    ],
)
def test_seed_keeps_the_line_breaks_of_values(text, expected):
    assert_reads(seed_format(), text, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            (
                'Hm.\n<minimax:tool_call>\n<invoke name="weather">\n<parameter name="city">Rome</parameter>\n'
                '<parameter name="days">3</parameter>\n</invoke>\n<invoke name="now">\n</invoke>\n</minimax:tool_call> so'
            ),
            ["Hm.", ROME, NOW, "so"],
        ),
        (
            (
                '<minimax:tool_call><invoke name="note"><parameter name="text">a </parameter> b\n</parameter>'
                '<parameter name="tags">["\u6771", {}]</parameter></invoke>'
            ),
            [("note", {"text": "a </parameter> b\n", "tags": ["\u6771", {}]})],
        ),
    ],
)
def test_minimax_writes_all_calls_into_one_block(text, expected):
    assert_reads(minimax_format(), text, expected)


@pytest.mark.parametrize("block", [V32_BLOCK, V4_BLOCK])
def test_dsml_says_of_each_value_whether_it_is_text(block):
    text = (
        f'Hm.\n\n<|{block}>\n<|invoke name="note">\n<|parameter name="by" string="true">null</|parameter>\n'
        '<|parameter name="tags" string="false">[1, "</|parameter>"]</|parameter>\n</|invoke>\n'
        '<|invoke name="note">\n<|parameter name="by" string="false">null</|parameter>\n</|invoke>\n'
        f'<|invoke name="now">\n</|invoke>\n</|{block}>'
    ).replace("|", MARK)
    expected = ["Hm.", ("note", {"by": "null", "tags": [1, f"</{MARK}parameter>"]}), ("note", {"by": None}), NOW]
    assert_reads(dsml_format(block), text, expected)


def test_hunyuan_separates_the_name_by_a_mark():
    text = (
        "Hm.<tool_calls>\n<tool_call>weather<tool_sep>\n<arg_key>city</arg_key>\n<arg_value>Rome</arg_value>\n<arg_key>days</arg_key>\n"
        "<arg_value>3</arg_value>\n</tool_call>\n<tool_call>now<tool_sep>\n</tool_call>\n</tool_calls>"
    ).replace(">", ":opensource>")
    assert_reads(hunyuan_format(), text, ["Hm.", ROME, NOW])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (('Hm. <function name="weather"><param name="city">Rome</param><param name="days">3</param></function>\n'
         '<function name="now"></function>'), ["Hm.", ROME, NOW]),
        ('<function name="note"><param name="text"><![CDATA[<a href="/x">hi</a> </param> ]]> ]]></param></function>',
         [("note", {"text": '<a href="/x">hi</a> </param> ]]> '})]),
        ('<function name="note"><param name="more">{\'a\': True}</param></function>', [("note", {"more": {"a": True}})]),
    ],
)  # fmt: skip
def test_minicpm_wraps_strings_that_hold_tags(text, expected):
    assert_reads(minicpm_format(), text, expected)


def test_kimi_k3_numbers_its_calls_and_types_their_values():
    def argument(key: str, type_: str, value: str) -> str:
        return f'<|open|>argument key="{key}" type="{type_}"<|sep|>{value}<|close|>argument<|sep|>'

    def call(number: int, name: str, *arguments: str) -> str:
        return f'<|open|>call tool="{name}" index="{number}"<|sep|>{"".join(arguments)}<|close|>call<|sep|>'

    weather = call(1, "weather", argument("city", "string", "5"), argument("days", "number", "3"))
    note = call(2, "note", argument("tags", "array", '["a"]'), argument("by", "null", "null"))
    text = f"Hm.<|open|>tools<|sep|>{weather}{note}{call(3, 'now')}<|close|>tools<|sep|>"
    expected = ["Hm.", ("weather", {"city": "5", "days": 3}), ("note", {"tags": ["a"], "by": None}), NOW]
    assert_reads(kimi_k3_format(), text, expected)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (seed_format(), "<seed:tool_call>\nnothing</seed:tool_call>"),
        (minimax_format(), "Write <minimax:tool_call> and then <invoke name=...>."),
        (dsml_format(V4_BLOCK), f'<{MARK}tool_calls>\n<{MARK}invoke name="now">\n<{MARK}parameter name="a">5'),
        (hunyuan_format(), "<tool_calls:opensource>now</tool_calls:opensource>"),
        (minicpm_format(), 'In C++: <function name="x"> is no call'),
    ],
)
def test_what_is_no_call_is_content(form, text):
    assert "".join(map(str, read(text, form, **SCHEMAS))) == text
