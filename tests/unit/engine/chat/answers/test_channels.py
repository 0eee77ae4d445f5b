"""Tool calls come out of a model's text whole, content passes untouched, and the cuts between pieces change nothing."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chat.reader.answer import CallPiece, Content
from engine.chat.tool_formats.hermes import HermesFormat
from tests.unit.engine.chat import reading
from tests.unit.engine.chat.reading import Found, in_pieces, parser

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


def read(pieces: list[str], **conditions: bool) -> Found:
    return reading.read(pieces, HermesFormat(), **conditions)


@given(answers, st.integers(min_value=1, max_value=9))
def test_any_split_gives_the_same_pieces(text: str, size: int) -> None:
    assert read(in_pieces(text, size)) == read([text])


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


@pytest.mark.parametrize("length", range(2, len(WEATHER)))
def test_an_answer_cut_by_a_limit_gives_a_call_as_far_as_it_goes_and_no_markup(length: int) -> None:
    cut = WEATHER[:length]
    named, begun = WEATHER.index(', "arguments"'), WEATHER.index('{"city"')
    arguments = cut[begun : WEATHER.index("}}") + 1]
    assert read([cut], is_cut=True) == ([("weather", arguments)] if length >= named else [])


@given(answers, st.integers(min_value=1, max_value=9), st.booleans())
def test_any_split_of_an_answer_that_is_held_to_its_form_gives_the_same(text: str, size: int, is_cut: bool) -> None:
    """Text that is not in that form ends up somewhere, too."""
    conditions = {"is_cut": True, "is_certain": True}
    assert read(in_pieces(text, size), **conditions) == read([text], **conditions)


def test_the_pieces_of_a_call_that_is_held_to_its_form_come_as_they_are_written() -> None:
    reader = parser(HermesFormat(), is_certain=True)
    assert reader.feed('<tool_call>\n{"name": "f", "arguments":') == []
    opening, first = reader.feed(' {"a": ')
    assert isinstance(opening, CallPiece)
    assert (opening.number, opening.name, opening.arguments) == (0, "f", "")
    assert first == CallPiece(0, arguments='{"a": ')
    assert reader.feed("1}") == [CallPiece(0, arguments="1}")]
    assert reader.complete_calls == 0
    assert reader.feed("}\n</tool_call>") == []
    assert reader.complete_calls == 1


@given(st.text(alphabet=st.characters(exclude_characters="< \t\r\n")))
def test_text_without_a_marker_is_not_held_back(text: str) -> None:
    assert parser(HermesFormat()).feed(text) == ([Content(text)] if text else [])


def test_only_white_space_and_the_beginning_of_a_marker_are_held_back() -> None:
    reader = parser(HermesFormat())
    assert reader.feed("So: \n<tool_") == [Content("So:")]
    assert reader.feed("box> ") == [Content(" \n<tool_box>")]
    assert reader.finish() == [Content(" ")]


def test_a_call_is_delivered_as_soon_as_its_object_is_complete() -> None:
    reader = parser(HermesFormat())
    assert reader.feed('<tool_call>{"name":"f"') == []
    assert [type(piece) for piece in reader.feed("}")] == [CallPiece]


def test_ids_are_unique() -> None:
    calls = parser(HermesFormat()).feed(WEATHER * 50)
    ids = {call.id for call in calls if isinstance(call, CallPiece)}
    assert len(ids) == 50
    assert all(name.startswith("call_") for name in ids)


def test_arguments_keep_the_models_spelling() -> None:
    calls = parser(HermesFormat()).feed('<tool_call>{"name":"f","arguments":{"x": 1.50, "y":"\\u00e9"}}')
    assert isinstance(calls[0], CallPiece)
    assert calls[0].arguments == '{"x": 1.50, "y":"\\u00e9"}'


def test_without_a_tool_format_everything_is_content() -> None:
    reader = parser(None)
    assert reader.feed(WEATHER) + reader.finish() == [Content(WEATHER)]


@pytest.mark.parametrize(
    "unit", ["<tool_call>", '<tool_call>{"', '<tool_call>{"a":"', '<tool_call>{"a":[', "<tool_call> {"]
)
def test_hostile_text_is_read_in_linear_time(unit: str) -> None:
    start = time.process_time()
    assert read([unit * 20_000]) == [unit * 20_000]
    assert time.process_time() - start < 5.0
