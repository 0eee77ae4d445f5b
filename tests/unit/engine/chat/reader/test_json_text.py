"""The scanner finds the end of a value exactly where a JSON parser would."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chat.reader.json_text import JsonScanner, NotJson

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), values), st.booleans(), st.sampled_from([None, 2]), st.integers(1, 7))
def test_an_object_ends_where_it_ends_however_it_is_cut(
    value: object, ascii_only: bool, indent: int | None, size: int
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    scanner = JsonScanner()
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    assert all(scanner.feed(piece) is None for piece in pieces[:-1])
    assert scanner.feed(pieces[-1] + "} more") == len(pieces[-1])


@given(st.text(alphabet='{}[]":, 1', max_size=14).map(lambda text: "{" + text))
def test_a_text_is_taken_for_an_object_exactly_where_a_json_parser_takes_it(text: str) -> None:
    try:
        end = JsonScanner().feed(text)
    except NotJson:
        end = None
    try:
        _, expected_end = json.JSONDecoder().raw_decode(text)
    except ValueError:
        expected_end = None
    assert end == expected_end


@pytest.mark.parametrize(
    "text", ["]", "}", "{]", "{1", '{"a" 1', '{"a":,', '{"a":1,}', '{"a":[1,]', '{"a":1"', "{,", '{"a":1 2']
)
def test_the_first_impossible_character_is_an_error(text: str) -> None:
    scanner = JsonScanner()
    assert scanner.feed(text[:-1]) is None
    with pytest.raises(NotJson):
        scanner.feed(text[-1])


def test_bottomless_nesting_is_an_error() -> None:
    with pytest.raises(NotJson, match="nested more than 200 deep"):
        JsonScanner().feed('{"a":' * 201)
