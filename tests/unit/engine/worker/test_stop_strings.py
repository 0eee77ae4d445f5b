"""Stop strings end the text at the first of them, wherever the text is cut, and never show."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.worker.stop_strings import StopStrings

letters = st.text(alphabet="ab", max_size=24)
stop_lists = st.lists(st.text(alphabet="ab", min_size=1, max_size=4), max_size=4)


def feed(stops: list[str], pieces: list[str]) -> tuple[str, bool]:
    watcher = StopStrings(stops)
    text, hit = "", False
    for piece in pieces:
        safe, hit = watcher.push(piece)
        text += safe
    return text + watcher.flush(), hit


def expected(stops: list[str], text: str) -> tuple[str, bool]:
    """The definition, by trying every end in turn."""
    for end in range(1, len(text) + 1):
        complete = [stop for stop in stops if text[:end].endswith(stop)]
        if complete:
            return text[: end - max(map(len, complete))], True
    return text, False


def cut(text: str, places: list[int]) -> list[str]:
    edges = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


@given(stop_lists, letters, st.lists(st.integers(min_value=0), max_size=8))
def test_any_cut_of_the_text_gives_what_the_definition_says(stops: list[str], text: str, places: list[int]) -> None:
    assert feed(stops, cut(text, places)) == expected(stops, text)


@given(stop_lists, letters)
def test_no_stop_string_is_ever_in_what_was_emitted(stops: list[str], text: str) -> None:
    emitted, _ = feed(stops, list(text))
    assert not any(stop in emitted for stop in stops)


@given(stop_lists, letters)
def test_only_the_beginning_of_a_stop_string_is_held_back(stops: list[str], text: str) -> None:
    watcher = StopStrings(stops)
    emitted, hit = watcher.push(text)
    if not hit:
        held = text[len(emitted) :]
        assert held == "" or any(stop.startswith(held) for stop in stops)


@pytest.mark.parametrize(
    ("stops", "text", "answer"),
    [
        (["\n\n"], "one\ntwo\n\nthree", ("one\ntwo", True)),
        (["</s>"], "a </ s> b", ("a </ s> b", False)),
        (["aab"], "aaab", ("a", True)),
        (["abcd", "bc"], "abcd", ("a", True)),
        (["cd", "abcd"], "xabcd", ("x", True)),
        (["é🎉"], "né🎉!", ("n", True)),
        (["x"], "x", ("", True)),
        ([], "anything", ("anything", False)),
    ],
)
def test_the_stop_string_complete_first_ends_the_text(stops: list[str], text: str, answer: tuple[str, bool]) -> None:
    assert feed(stops, [text]) == answer
    assert feed(stops, list(text)) == answer


def test_text_after_a_stop_string_is_dropped() -> None:
    watcher = StopStrings(["."])
    assert watcher.push("one. two") == ("one", True)
    assert watcher.push(" three") == ("", True)
    assert watcher.flush() == ""


def test_an_empty_stop_string_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one character"):
        StopStrings(["end", ""])


def test_a_long_answer_that_keeps_beginning_a_long_stop_string_takes_linear_time() -> None:
    watcher = StopStrings(["a" * 5000 + "b"])
    start = time.process_time()
    for _ in range(200):
        watcher.push("a" * 1000)
    assert time.process_time() - start < 2.0
