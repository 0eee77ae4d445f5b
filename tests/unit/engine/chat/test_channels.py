"""Tool calls come out of a model's text whole, content passes untouched, and the cuts between pieces change nothing."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chat.channels import ChannelParser, Content, ToolCall
from engine.chat.tool_formats.hermes import HermesFormat

WEATHER = '<tool_call>\n{"name": "weather", "arguments": {"city": "Paris"}}\n</tool_call>'

snippets = st.sampled_from(
    [
        "<tool_call>",
        "</tool_call>",
        "\n",
        " ",
        '{"name": "f", "arguments": {"a": "}</tool_call>"}}',
        '{"name": "g", "arguments": "{\\"b\\": [1, {}]}"}',
        '{"name": 1}',
        "{",
        "}",
        '"',
        "\\",
        "text",
        "<",
        "é🎉",
    ]
)
answers = st.lists(snippets, max_size=12).map("".join)


def read(pieces: list[str]) -> list[object]:
    """Content (joined) and calls as (name, arguments), in order."""
    parser = ChannelParser(HermesFormat())
    found = [item for piece in pieces for item in parser.feed(piece)] + parser.finish()
    merged: list[object] = []
    for item in found:
        if isinstance(item, ToolCall):
            merged.append((item.name, json.loads(item.arguments_json)))
        elif merged and isinstance(merged[-1], str):
            merged[-1] += item.text
        else:
            merged.append(item.text)
    return merged


@given(answers, st.integers(min_value=1, max_value=9))
def test_any_split_gives_the_same_pieces(text: str, size: int) -> None:
    assert read([text[start : start + size] for start in range(0, len(text), size)]) == read([text])


@given(answers)
def test_text_that_holds_no_call_comes_back_unchanged(text: str) -> None:
    found = read([text])
    if all(isinstance(item, str) for item in found):
        assert "".join(map(str, found)) == text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (WEATHER, [("weather", {"city": "Paris"})]),
        (f"Let me look.\n\n{WEATHER}\n", ["Let me look.", ("weather", {"city": "Paris"})]),
        (f"{WEATHER}\n{WEATHER}", [("weather", {"city": "Paris"})] * 2),
        (f"{WEATHER} Done. ", [("weather", {"city": "Paris"}), "Done. "]),
        ('<tool_call>{"name":"f","arguments":{}}</tool_call>', [("f", {})]),
        ('<tool_call>{"name":"f"}</tool_call>', [("f", {})]),
        ('<tool_call>{"name":"f","arguments":null}</tool_call>', [("f", {})]),
        ('<tool_call>{"name":"f","parameters":{"x":1}}</tool_call>', [("f", {"x": 1})]),
        ('<tool_call>{"arguments":{"x":"}\\"</tool_call><tool_call>{"},"name":"f"}</tool_call>',
         [("f", {"x": '}"</tool_call><tool_call>{'})]),
        ('<tool_call>{"name":"f","arguments":"{\\"x\\":{\\"y\\":[]}}"}</tool_call>', [("f", {"x": {"y": []}})]),
        ('<tool_call>{"name":"f","arguments":{"code":"a\nb"}}</tool_call>', [("f", {"code": "a\nb"})]),
        ('<tool_call>\n{"name":"f"}\n{"name":"g"}\n</tool_call>', [("f", {}), ("g", {})]),
        ('<tool_call>{"name":"f","arguments":{"é":"🎉"}}', [("f", {"é": "🎉"})]),
        ('<tool_call>{"name":"f"}</tool_', [("f", {})]),
        ('<tool_call>{"name":"f"} and so on', [("f", {}), "and so on"]),
    ],
)  # fmt: skip
def test_calls_are_recognised_in_every_shape_that_models_write(text: str, found: list[object]) -> None:
    assert read([text]) == found
    assert read(list(text)) == found


@pytest.mark.parametrize(
    "text",
    [
        "<tool_call></tool_call>",
        "a <tool_call>\nnothing here\n</tool_call> b",
        '<tool_call>{"name": "f", "arguments": {"x": }}</tool_call>',
        '<tool_call>{"name": 7, "arguments": {}}</tool_call>',
        '<tool_call>{"name": "", "arguments": {}}</tool_call>',
        '<tool_call>{"name": "f", "arguments": [1]}</tool_call>',
        '<tool_call>{"name": "f", "arguments": "no object"}</tool_call>',
        '<tool_call>{"name": "f", "arguments": {"x": 01}}</tool_call>',
        '<tool_call>{"name": "f", "arguments": {"x": 1e999, "y": "\n"}}</tool_call>',
        '<tool_call>{"name": "\\ud800", "arguments": {}}</tool_call>',
        "<tool_call>[]</tool_call>",
        "<tool_call>" + '{"a":' * 300,
        "\n <tool_call>\n ",
        "1 < 2 and <tool",
        " \n ",
    ],
)
def test_what_is_no_call_is_delivered_as_it_was(text: str) -> None:
    assert read([text]) == [text]
    assert read(list(text)) == [text]


def test_a_broken_call_does_not_hide_the_next_one() -> None:
    assert read([f'<tool_call>{{"name": oops}} {WEATHER}']) == [
        '<tool_call>{"name": oops}',
        ("weather", {"city": "Paris"}),
    ]


@pytest.mark.parametrize("length", range(len(WEATHER)))
def test_an_answer_cut_anywhere_gives_a_whole_call_or_its_text(length: int) -> None:
    cut = WEATHER[:length]
    complete = length >= WEATHER.index("}}") + 2
    assert read([cut]) == ([("weather", {"city": "Paris"})] if complete else [cut] * bool(cut))


@given(st.text(alphabet=st.characters(exclude_characters="< \t\r\n")))
def test_text_without_a_marker_is_not_held_back(text: str) -> None:
    assert ChannelParser(HermesFormat()).feed(text) == ([Content(text)] if text else [])


def test_only_white_space_and_the_beginning_of_a_marker_are_held_back() -> None:
    parser = ChannelParser(HermesFormat())
    assert parser.feed("So: \n<tool_") == [Content("So:")]
    assert parser.feed("box> ") == [Content(" \n<tool_box>")]
    assert parser.finish() == [Content(" ")]


def test_a_call_is_delivered_as_soon_as_its_object_is_complete() -> None:
    parser = ChannelParser(HermesFormat())
    assert parser.feed('<tool_call>{"name":"f"') == []
    assert [type(piece) for piece in parser.feed("}")] == [ToolCall]


def test_ids_are_unique() -> None:
    calls = ChannelParser(HermesFormat()).feed(WEATHER * 50)
    ids = {call.id for call in calls if isinstance(call, ToolCall)}
    assert len(ids) == 50
    assert all(name.startswith("call_") for name in ids)


def test_arguments_keep_the_models_spelling() -> None:
    calls = ChannelParser(HermesFormat()).feed('<tool_call>{"name":"f","arguments":{"x": 1.50, "y":"\\u00e9"}}')
    assert isinstance(calls[0], ToolCall)
    assert calls[0].arguments_json == '{"x": 1.50, "y":"\\u00e9"}'


def test_without_a_tool_format_everything_is_content() -> None:
    parser = ChannelParser(None)
    assert parser.feed(WEATHER) + parser.finish() == [Content(WEATHER)]


@pytest.mark.parametrize(
    "unit", ["<tool_call>", '<tool_call>{"', '<tool_call>{"a":"', '<tool_call>{"a":[', "<tool_call> {"]
)
def test_hostile_text_is_read_in_linear_time(unit: str) -> None:
    start = time.process_time()
    assert read([unit * 20_000]) == [unit * 20_000]
    assert time.process_time() - start < 5.0
