"""The detokenizer never splits a character and never loses a byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.worker.detokenizer import Detokenizer


def decode(pieces: list[bytes]) -> str:
    detokenizer = Detokenizer()
    return "".join(detokenizer.push(piece) for piece in pieces) + detokenizer.flush()


@given(st.lists(st.binary(max_size=6)))
def test_any_bytes_cut_anywhere_decode_as_the_whole_does(pieces: list[bytes]) -> None:
    assert decode(pieces) == b"".join(pieces).decode("utf-8", "replace")


@given(st.text())
def test_text_fed_byte_by_byte_comes_back_unchanged(text: str) -> None:
    assert decode([bytes([byte]) for byte in text.encode()]) == text


@given(st.text(min_size=1))
def test_a_character_appears_with_its_last_byte_and_not_before(text: str) -> None:
    detokenizer = Detokenizer()
    for character in text:
        encoded = character.encode()
        assert detokenizer.push(encoded[:-1]) == ""
        assert detokenizer.pending_bytes == len(encoded) - 1
        assert detokenizer.push(encoded[-1:]) == character
        assert detokenizer.pending_bytes == 0


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xff", "\ufffd"),
        (b"a\xc3", "a\ufffd"),
        (b"\xe2\x82", "\ufffd"),
        (b"\xf0\x9f\x98", "\ufffd"),
        (b"\xc3(", "\ufffd("),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
    ],
)
def test_bytes_that_are_no_character_become_replacement_characters(data: bytes, text: str) -> None:
    assert decode([data]) == text


def test_a_flushed_detokenizer_begins_a_new_text() -> None:
    detokenizer = Detokenizer()
    detokenizer.push(b"\xe2\x82")
    detokenizer.flush()
    assert detokenizer.push("€".encode()) == "€"
