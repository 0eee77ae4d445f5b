"""What holds for every form of call: it reads what its model writes, the cuts between pieces change nothing, and no markup is content."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.chat.reader.answer import CallPiece
from tests.unit.engine.chat.reading import Found, in_pieces, parser, pieces_of, read
from tests.unit.engine.chat.tool_formats.written import WRITTEN, Call, Written

SCHEMAS: dict[str, object] = {name: {"type": "object"} for name in ("f", "get_weather", "a.b-c")}
NASTY: dict[str, object] = {
    "braces": '}"]}</tool_call>[/INST]<|end|>', "n": {"a": [1, {"b": None}]}, "é🎉": "\\\"\n\t", "": [],
}  # fmt: skip

scalars = st.none() | st.booleans() | st.integers() | st.text()
arguments = st.dictionaries(st.text(), st.recursive(scalars, st.lists, max_leaves=4), max_size=3)
calls = st.tuples(st.sampled_from(sorted(SCHEMAS)), arguments)
few = settings(max_examples=25)  # of each form
each_form = pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)


def reading(text: str | list[str], written: Written, **conditions: bool) -> Found:
    return read(text, written.form, **conditions, **SCHEMAS)


def some(written: Written, chosen: Sequence[Call]) -> list[Call]:
    return list(chosen[:1] if written.is_alone else chosen)


@each_form
@few
@given(st.lists(calls, min_size=1, max_size=3), st.integers(min_value=1, max_value=9), st.booleans())
def test_calls_come_back_as_they_were_written(
    written: Written, chosen: list[Call], size: int, is_certain: bool
) -> None:
    made = some(written, chosen)
    assert reading(in_pieces(written.write(made), size), written, is_certain=is_certain) == made


@each_form
def test_marks_and_braces_in_strings_are_part_of_them(written: Written) -> None:
    text = written.write([("f", NASTY)])
    assert reading(text, written) == [("f", NASTY)]
    assert reading(list(text), written) == [("f", NASTY)]


@each_form
def test_text_in_front_of_calls_is_content(written: Written) -> None:
    made = some(written, [("f", {"x": 1}), ("get_weather", {})])
    assert reading(f"So, é:\n\n{written.write(made)}\n", written) == ["So, é:", *made]


@each_form
@pytest.mark.parametrize("is_certain", [True, False])
def test_a_call_cut_anywhere_comes_as_far_as_it_goes_and_no_markup_is_content(
    written: Written, is_certain: bool
) -> None:
    whole = written.write([("get_weather", {"city": "Paris"})])
    longest = ""
    for length in range(2, len(whole) + 1):
        found = reading(whole[:length], written, is_cut=True, is_certain=is_certain)
        assert reading(in_pieces(whole[:length], 3), written, is_cut=True, is_certain=is_certain) == found
        if found:
            [(name, arguments)] = found  # type: ignore[misc] # content, which is no pair, fails here
            assert name == "get_weather"
            assert arguments.startswith(longest)
            longest = arguments
    assert json.loads(longest) == {"city": "Paris"}


@each_form
@few
@given(st.data(), st.integers(min_value=1, max_value=9), st.booleans())
def test_any_split_of_anything_gives_the_same(written: Written, data: st.DataObject, size: int, is_cut: bool) -> None:
    form = written.form
    marks = [*form.openings, *form.openings_at_start, *form.marks]
    whole = written.write([("f", {"a": 'b"}'})])
    parts = st.sampled_from(
        [*marks, "f", "g\n", "{", "}", "[", "]", '"', "\\", ",", " \n", "<", "é", whole, whole[:-3]]
    )
    text = "".join(data.draw(st.lists(parts, max_size=9)))
    assert reading(in_pieces(text, size), written, is_cut=is_cut) == reading(text, written, is_cut=is_cut)


@each_form
@few
@given(st.text())
def test_text_without_calls_comes_back_unchanged(written: Written, text: str) -> None:
    assert "".join(map(str, reading(text, written))) == text


@each_form
def test_a_call_that_is_held_to_its_form_comes_as_it_is_written_with_its_name_first(written: Written) -> None:
    reader = parser(written.form, is_certain=True, **SCHEMAS)
    text = written.write([("get_weather", {"city": "Paris"})])
    opening, *further = [piece for piece in pieces_of(reader, list(text)) if isinstance(piece, CallPiece)]
    assert (opening.name, opening.arguments) == ("get_weather", "")
    assert len(further) > 10
    assert all(piece.name is None and piece.id is None for piece in further)
