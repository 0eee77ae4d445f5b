"""Answers of functionary 3.2 are told apart by the line that each turn begins with."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chat.answers.channels import ChannelParser
from engine.chat.answers.recipients import recipients_script
from engine.chat.reader.answer import Answer
from engine.chat.tool_formats.recipients import RecipientFormat
from tests.unit.engine.chat.reading import Found, in_pieces, merged, pieces_of

OFFERED = {"f": {}, "g": {}, "python": {}}
F = 'f\n{"x": 1}'


def read(pieces: list[str], *, calls: bool = True, in_parallel: bool = True, is_cut: bool = False) -> Found:
    script = recipients_script(RecipientFormat() if calls else None, in_parallel=in_parallel)
    parts = merged(pieces_of(ChannelParser(script, Answer(schemas=OFFERED)), pieces, is_cut=is_cut))
    return [value if kind == "content" else (kind, value if is_cut else json.loads(value)) for kind, value in parts]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("all\nHello, world!\nWhat's up?", ["Hello, world!\nWhat's up?"]),
        (F, [("f", {"x": 1})]),
        (f">>>{F}", [("f", {"x": 1})]),
        (f"{F}>>>g\n{{}}", [("f", {"x": 1}), ("g", {})]),
        (f"all\nLet me look.\n>>>{F}\n", ["Let me look.", ("f", {"x": 1})]),
        (f"{F}>>>all\nDone.", [("f", {"x": 1}), "Done."]),
        ('f\n{"x": ">>>g\\n{}"}', [("f", {"x": ">>>g\n{}"})]),
        ('python\nprint(">")\n>>>g\n{}', [("python", {"code": 'print(">")\n'}), ("g", {})]),
        ('python\n{"code": "1"}', [("python", {"code": "1"})]),
        ("world!\nWhat's up?", ["world!\nWhat's up?"]),
        ("h\n{}", ["h\n{}"]),
        ("all\n1 >>> 2", ["1 >>> 2"]),
        ("all\n>>> import os", [">>> import os"]),
        ("", []),
    ],
)  # fmt: skip
def test_turns_are_told_apart(text: str, found: Found) -> None:
    assert read([text]) == found
    assert read(list(text)) == found


def test_without_calls_only_what_goes_to_all_is_a_turn() -> None:
    assert read(["all\nHi"], calls=False) == ["Hi"]
    assert read([F], calls=False) == [F]


def test_one_call_is_enough_where_calls_are_not_parallel() -> None:
    assert read([f"{F}>>>{F}"], in_parallel=False) == [("f", {"x": 1}), f">>>{F}"]


@pytest.mark.parametrize("length", range(1, len(F)))
def test_a_call_cut_by_a_limit_comes_as_far_as_it_goes(length: int) -> None:
    assert read([F[:length]], is_cut=True) == ([("f", F[2:length])] if length > 1 else [])


parts = st.sampled_from(["all\n", ">>>", "f\n", "g", "\n", "{", "}", '{"a": "b"}', " ", ">", "python\n", "x"])


@given(st.lists(parts, max_size=9).map("".join), st.integers(min_value=1, max_value=5), st.booleans())
def test_any_split_gives_the_same(text: str, size: int, is_cut: bool) -> None:
    assert read(in_pieces(text, size), is_cut=is_cut) == read([text], is_cut=is_cut)
