"""Answers of gpt-oss: messages on channels."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chat.answers.answer_format import AnswerFormat
from engine.chat.reader.answer import Answer
from tests.unit.engine.chat.reading import in_pieces, merged, pieces_of

FORMAT = AnswerFormat.of("<|start|>assistant<|channel|>analysis<|message|>")
SCHEMAS = {"weather": {"type": "object", "properties": {"city": {"type": "string"}}}, "python": {"type": "object"}}
THOUGHT, FINAL = "<|channel|>analysis<|message|>Hm.\nSo", "<|channel|>final<|message|>"
NEXT = "<|end|><|start|>assistant"
ROME = '{"city": "Rome"}'


def read(
    text, *, prompt="<|start|>assistant", is_cut=False, size=None, is_certain=False, is_split=True, reads_calls=True
):
    """Everything told, as (kind, text)."""
    parser = FORMAT.parser(
        Answer(is_certain=is_certain, schemas=SCHEMAS),
        thinking=FORMAT.thinking(prompt, is_begun=True, is_split=is_split),
        reads_calls=reads_calls,
    )
    return list(merged(pieces_of(parser, in_pieces(text, size or max(len(text), 1)), is_cut=is_cut)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{FINAL}Hello,\n world", [("content", "Hello,\n world")]),
        ("<|channel|>commentary<|message|>Hello", [("content", "Hello")]),
        (f"{THOUGHT}{NEXT}{FINAL}Hello<|return|>", [("reasoning", "Hm.\nSo"), ("content", "Hello")]),
        (f" to=functions.weather<|channel|>analysis<|message|>{ROME}", [("weather", ROME)]),
        (f"<|channel|>analysis to=functions.weather<|message|>{ROME}", [("weather", ROME)]),
        (f" to=functions.weather<|channel|>commentary <|constrain|>json<|message|>{ROME}<|call|>", [("weather", ROME)]),
        (f"<|channel|>commentary to=functions.weather json<|message|>{ROME}<|call|>", [("weather", ROME)]),
        (f"{THOUGHT}{NEXT}<|channel|>commentary to=functions.weather <|constrain|>json<|message|>{ROME}<|call|>",
         [("reasoning", "Hm.\nSo"), ("weather", ROME)]),
        (f"{THOUGHT}{NEXT}<|channel|>commentary<|message|>Let me see.{NEXT} to=functions.weather<|channel|>analysis<|message|>{ROME}",
         [("reasoning", "Hm.\nSo"), ("content", "Let me see."), ("weather", ROME)]),
        (f"<|channel|>commentary to=functions.weather<|message|>{ROME}{NEXT}<|channel|>commentary to=functions.now<|message|><|call|>",
         [("weather", ROME), ("now", "{}")]),
        (f"<|channel|>commentary to=assistant{THOUGHT}{NEXT}{FINAL}Hello", [("reasoning", "Hm.\nSo"), ("content", "Hello")]),
        (f"{THOUGHT}<|end|>{FINAL}Hello", [("reasoning", "Hm.\nSo"), ("content", "Hello")]),
        (f"{THOUGHT}{NEXT}{THOUGHT}{NEXT}{FINAL}a{NEXT}{FINAL}b", [("reasoning", "Hm.\nSo\n\nHm.\nSo"), ("content", "a\n\nb")]),
        ('<|channel|>commentary to=python<|message|>{"code": "<b>"}<|call|>', [("python", '{"code": "<b>"}')]),
        (f"{THOUGHT}{NEXT} to=container.exec<|channel|>commentary<|message|>ls", [("reasoning", "Hm.\nSo"), ("content", "ls")]),
        (f"{FINAL}a < b <|x|> c", [("content", "a < b <|x|> c")]),
        ("Just words, to=you", [("content", "Just words, to=you")]),
        ("", []),
    ],
)  # fmt: skip
def test_each_message_goes_where_its_header_says(text, expected):
    assert read(text) == expected
    for size in (1, 2, 5):
        assert read(text, size=size) == expected
        assert read(text, size=size, is_certain=True) == expected
    for end in range(len(text)):
        cut = read(text[:end], is_cut=True)
        assert [kind for kind, _ in cut] == [kind for kind, _ in expected[: len(cut)]], text[:end]
        assert all(expected[place][1].startswith(said) for place, (_, said) in enumerate(cut)), text[:end]


@pytest.mark.parametrize("opened", ["<|channel|>analysis<|message|>", "<|channel|>analysis<|message|>I think"])
def test_a_prompt_may_end_within_a_thought(opened):
    assert read(f" so{NEXT}{FINAL}Hi", prompt=f"<|start|>assistant{opened}") == [
        ("reasoning", " so"),
        ("content", "Hi"),
    ]


def test_a_text_without_a_header_goes_on_with_the_prompts_message():
    assert read("world!", prompt=f"<|start|>assistant{FINAL}Hello, ") == [("content", "world!")]


def test_thoughts_that_are_not_told_apart_stay_with_their_marks():
    text = f"{THOUGHT}{NEXT}{FINAL}Hello"
    assert read(text, is_split=False) == [("content", f"{THOUGHT}<|end|>Hello")]


def test_calls_that_nobody_asked_for_are_content():
    assert read(f"<|channel|>commentary to=functions.weather<|message|>{ROME}", reads_calls=False) == [
        ("content", ROME)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "<|channel|>",
        "<|channel|>final<|end|>",
        "<|message|>",
        "<|start|><|start|>x",
        "<|end|><|end|>",
        "<|channel|>final to=functions.f<|message|>no",
    ],
)
def test_headers_that_are_none_neither_hang_nor_fail(text):
    read(text, size=1)


MARKS = [
    "<|start|>",
    "assistant",
    "<|channel|>",
    "analysis",
    "final",
    "commentary",
    " to=functions.weather",
    "<|message|>",
]
MARKS += ["{", "}", ROME, "a", "\n", "<|end|>", "<|call|>", "<|constrain|>", "json"]


@given(st.lists(st.sampled_from(MARKS), max_size=14), st.booleans())
def test_any_row_of_marks_is_read_the_same_in_pieces(marks, is_cut):
    text = "".join(marks)
    assert read(text, is_cut=is_cut) == read(text, is_cut=is_cut, size=1) == read(text, is_cut=is_cut, size=3)


def test_arguments_stream_where_they_are_held_to_their_form():
    parser = FORMAT.parser(Answer(is_certain=True, schemas=SCHEMAS), thinking=FORMAT.thinking(""), reads_calls=True)
    assert parser is not None
    told = parser.feed('<|channel|>commentary to=functions.weather <|constrain|>json<|message|>{"city": "Ro')
    assert "".join(piece.arguments for piece in told) == '{"city": "Ro'
    assert json.loads('{"city": "Ro' + "".join(piece.arguments for piece in parser.feed('me"}'))) == {"city": "Rome"}
