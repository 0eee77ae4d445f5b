"""Answers of Muse Glimmer: messages to the model itself, to the user and to functions."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chat.answers.answer_format import AnswerFormat
from engine.chat.reader.answer import Answer
from tests.unit.engine.chat.reading import in_pieces, merged, pieces_of
from tests.unit.engine.chat.tool_formats.checks import SCHEMAS

FORMAT = AnswerFormat.of("{{ '<|start|>assistant to=' + name + '<|message|><atem:function_calls>' + '<|eom|>' }}")
THOUGHT, SAID, NEXT = " to=self<|message|>Hm.\nSo", " to=user<|message|>Hello", "<|eom|><|start|>assistant"
VALUE = 'é🎉 "{[}]" a </atem:parameter> b </atem:invoke> <|eom|><|start|>assistant to=self<|message|>\n'
MORE = '{"a": {"b": "}"}}'
NO_CALL = "<atem:function_calls>\nnow\n</atem:function_calls>"


def block(name, **values):
    """A call's tags; `values` as they are written."""
    parameters = "".join(f'<atem:parameter name="{key}">{value}</atem:parameter>\n' for key, value in values.items())
    return f'<atem:function_calls>\n<atem:invoke name="{name}">\n{parameters}</atem:invoke>\n</atem:function_calls>'


def call(name, **values):
    return f" to={name}<|message|>{block(name, **values)}"


ROME, NOW = call("weather", city="Rome", days=3), call("now")


def read(
    text, *, prompt="<|start|>assistant", is_cut=False, size=None, is_certain=False, is_split=True, schemas=SCHEMAS, **calls
):  # fmt: skip
    """Everything told, as (kind, text)."""
    parser = FORMAT.parser(
        Answer(is_certain=is_certain, schemas=schemas),
        thinking=FORMAT.thinking(prompt, is_begun=True, is_split=is_split),
        **{"reads_calls": True, **calls},
    )
    return list(merged(pieces_of(parser, in_pieces(text, size or max(len(text), 1)), is_cut=is_cut)))


THOUGHT_READ, ROME_READ, NOW_READ = ("reasoning", "Hm.\nSo"), ("weather", '{"city": "Rome", "days": 3}'), ("now", "{}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{SAID}<|eot|>", [("content", "Hello")]),
        ("<|message|>Hello", [("content", "Hello")]),
        (f"{THOUGHT}{NEXT}{SAID}<|eot|>", [THOUGHT_READ, ("content", "Hello")]),
        (f"{THOUGHT}{NEXT}{THOUGHT}{NEXT}{SAID}", [("reasoning", "Hm.\nSo\n\nHm.\nSo"), ("content", "Hello")]),
        (ROME, [ROME_READ]),
        (f"{NOW}<|eot|>", [NOW_READ]),
        (f"{SAID}{NEXT}{ROME}", [("content", "Hello"), ROME_READ]),
        (f"{THOUGHT}{NEXT}{ROME}{NEXT}{NOW}<|eot|>", [THOUGHT_READ, ROME_READ, NOW_READ]),
        (f"{ROME}{NEXT}{SAID}{NEXT}{NOW}", [ROME_READ, ("content", "Hello"), NOW_READ]),
        (ROME.replace("\n", ""), [ROME_READ]),
        (call("a.b", x="1", y="[true]"), [("a.b", '{"x": 1, "y": [true]}')]),
        (call("note", text=VALUE, tags='["</atem:parameter>"]', more=MORE, by="null"),
         [("note", f'{{"text": {json.dumps(VALUE, ensure_ascii=False)}, "tags": ["</atem:parameter>"], "more": {MORE}, "by": null}}')]),
        (f" to=user<|message|>So:\n{block('now')}<|eot|>", [("content", f"So:\n{block('now')}")]),
        (f" to=self<|message|>{block('now')} it is{NEXT}{SAID}", [("reasoning", f"{block('now')} it is"), ("content", "Hello")]),
        (" to=weather<|message|>Rome", [("content", "Rome")]),
        (f" to=now<|message|>{NO_CALL}", [("content", NO_CALL)]),
        ("Just words, to=you", [("content", "Just words, to=you")]),
        ("", []),
    ],
)  # fmt: skip
def test_each_message_goes_to_whom_its_header_names(text, expected):
    assert read(text) == expected
    for size in (1, 2, 5):
        assert read(text, size=size) == expected
        assert read(text, size=size, is_cut=True) == read(text, is_cut=True)
    for end in range(len(text)):
        cut = read(text[:end], is_cut=True)
        assert [kind for kind, _ in cut] == [kind for kind, _ in expected[: len(cut)]], text[:end]
        assert all(expected[place][1].startswith(said) for place, (_, said) in enumerate(cut)), text[:end]


def test_a_call_may_lack_its_last_marks():
    whole = ROME.removesuffix("</atem:function_calls>")
    assert read(whole) == [ROME_READ]
    assert read(whole.removesuffix("</atem:invoke>\n")) == [ROME_READ]


@pytest.mark.parametrize("opened", [" to=self<|message|>", " to=self<|message|>I think"])
def test_a_prompt_may_end_within_a_thought(opened):
    found = read(f" so{NEXT}{SAID}", prompt=f"<|start|>assistant{opened}")
    assert found == [("reasoning", " so"), ("content", "Hello")]


def test_a_text_without_a_header_goes_on_with_the_prompts_message():
    assert read("world!", prompt="<|start|>assistant to=user<|message|>Hello, ") == [("content", "world!")]


def test_thoughts_that_are_not_told_apart_stay_with_their_marks():
    assert read(f"{THOUGHT}{NEXT}{SAID}", is_split=False) == [("content", f"{THOUGHT.lstrip()}<|eom|>Hello")]


def test_calls_that_nobody_asked_for_are_content():
    assert read(NOW, reads_calls=False) == [("content", block("now"))]
    assert read(f"{NOW}{NEXT}{NOW}", in_parallel=False) == [NOW_READ, ("content", block("now"))]


def test_arguments_stream_where_they_are_held_to_their_form():
    parser = FORMAT.parser(Answer(is_certain=True, schemas=SCHEMAS), thinking=FORMAT.thinking(""), reads_calls=True)
    told = parser.feed(ROME[: ROME.index("me</")])
    assert "".join(piece.arguments for piece in told) == '{"city": "Ro'


MARKS = ["<|start|>", "assistant", " to=", "self", "user", "now", "<|message|>", "<|eom|>", "<|eot|>", "a", "\n", " "]
MARKS += ["<atem:function_calls>", '<atem:invoke name="', '<atem:parameter name="', '">', "</atem:parameter>"]
MARKS += ["</atem:invoke>", "</atem:function_calls>", ROME, NOW, THOUGHT, SAID, NEXT]


@given(st.lists(st.sampled_from(MARKS), max_size=14), st.booleans())
def test_any_row_of_marks_is_read_the_same_in_pieces(marks, is_cut):
    text = "".join(marks)
    assert read(text, is_cut=is_cut) == read(text, is_cut=is_cut, size=1) == read(text, is_cut=is_cut, size=3)
