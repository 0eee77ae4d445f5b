"""Whatever a model writes is read, in every form of call, with thinking or without: no text breaks a reader, nor how it is cut."""

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.chat.answers import formats
from engine.chat.answers.answer_format import AnswerFormat
from engine.chat.answers.reasoning import REASONING_FORMATS
from engine.chat.reader.answer import Answer, CallPiece, Content, Piece
from engine.chat.tool_formats.form import ToolFormat
from engine.chat.tool_formats.generic import GenericFormat
from tests.unit.engine.chat.reading import merged

_SCHEMAS = {"f": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}}
_ELSE = [
    *('{"name": "f", "arguments": {"city": "P\\"}"}}', '{"name": "f", "parameters": {}}', "f", "city", "days", "5", "é🎉"),
    *("{", "}", "[", "]", '"', "\\", ",", ":", "=", "(", ")", "'", "<", ">", "</", "|", "\n", " ", "\t", "null", "\ud800"),
]  # fmt: skip


_MADE = [*(form() for _, form in formats.FORMS), GenericFormat()]
FORMS = {f"{number}-{type(form).__name__}": form for number, form in enumerate(_MADE)}
fuzzed = settings(max_examples=settings().max_examples // 8)
THINKING = (None, *REASONING_FORMATS)
each_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


def pieces(
    form: ToolFormat, texts: list[str], *, is_cut: bool = False, is_certain: bool = False, thinking: int = 0
) -> list[Piece]:
    kind = AnswerFormat(THINKING[thinking % len(THINKING)], form)
    answer = Answer(is_certain=is_certain, schemas=_SCHEMAS)
    parser = kind.parser(answer, thinking=kind.thinking(""), reads_calls=True)
    assert parser is not None
    return [piece for text in texts for piece in parser.feed(text)] + parser.finish(is_cut=is_cut)


def marks(form: ToolFormat) -> list[str]:
    thinking = [mark for kind in REASONING_FORMATS for mark in kind.marks]
    return [*form.openings, *form.openings_at_start, *form.loose_openings, *form.marks, *thinking]


def in_pieces(text: str, cuts: list[int]) -> list[str]:
    at = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(at)]


@each_form
@fuzzed
@given(st.data(), st.lists(st.integers(0, 400), max_size=6), st.booleans(), st.integers(0, 7))
def test_any_text_is_read_the_same_however_it_comes(
    form: ToolFormat, data: st.DataObject, cuts: list[int], is_cut: bool, thinking: int
) -> None:
    parts = st.one_of(st.sampled_from([*marks(form), *_ELSE]), st.text(max_size=4))
    text = "".join(data.draw(st.lists(parts, max_size=14)))
    whole = list(merged(pieces(form, [text], is_cut=is_cut, thinking=thinking)))
    assert list(merged(pieces(form, in_pieces(text, cuts), is_cut=is_cut, thinking=thinking))) == whole
    assert list(merged(pieces(form, list(text), is_cut=is_cut, thinking=thinking))) == whole


@each_form
@fuzzed
@given(st.data(), st.booleans())
def test_a_delivered_call_is_whole_unless_it_was_cut(form: ToolFormat, data: st.DataObject, is_certain: bool) -> None:
    parts = st.sampled_from([*marks(form), *_ELSE])
    text = "".join(data.draw(st.lists(parts, max_size=14)))
    found = list(pieces(form, [text], is_certain=is_certain))
    calls: dict[int, str] = {}
    for piece in found:
        if isinstance(piece, CallPiece):
            assert (piece.name is not None and piece.id is not None) == (piece.number not in calls)
            calls[piece.number] = calls.get(piece.number, "") + piece.arguments
        else:
            assert piece.text
    assert list(calls) == list(range(len(calls)))
    if not is_certain:
        assert all(isinstance(json.loads(arguments), dict) for arguments in calls.values())


@each_form
@fuzzed
@given(st.text())
def test_plain_text_stays_as_it_is(form: ToolFormat, text: str) -> None:
    if not any(mark[0] in text for mark in marks(form) if mark):
        found = pieces(form, [text])
        assert all(isinstance(piece, Content) for piece in found)
        assert "".join(piece.text for piece in found if isinstance(piece, Content)) == text


@each_form
@pytest.mark.parametrize("is_cut", [True, False])
def test_marks_without_end_come_to_an_end(form: ToolFormat, is_cut: bool) -> None:
    """Read again from each of its openings, such a text would take time for ever."""
    for mark in filter(None, marks(form)):
        for repeated in (mark, f'{mark}{{"a":', f"{mark}\n", f"{mark}["):
            text = repeated * 100
            size = 64
            assert pieces(form, [text[i : i + size] for i in range(0, len(text), size)], is_cut=is_cut) is not None
