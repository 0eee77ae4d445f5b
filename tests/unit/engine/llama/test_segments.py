"""Long texts are cut before control tokens, and nowhere that would change a token."""

from hypothesis import given
from hypothesis import strategies as st

from engine.llama import segments
from engine.llama.segments import Segments

LONG = "x" * segments.SEGMENT_CHARACTERS


@given(text=st.text(alphabet="<|a>x", max_size=60), long=st.integers(0, 3))
def test_the_parts_make_up_the_text(text, long):
    whole = (text + LONG) * long + text
    assert "".join(Segments(["<|a|>", "<x>"]).of(whole)) == whole


def test_a_short_text_stays_whole():
    assert list(Segments(["<s>"]).of("<s>a<s>b")) == ["<s>a<s>b"]


def test_a_long_text_is_cut_before_the_next_marker():
    assert list(Segments(["<s>", "<s2>"]).of(f"{LONG}ab<s2>c{LONG}<s>")) == [f"{LONG}ab", f"<s2>c{LONG}", "<s>"]


def test_a_text_without_markers_is_not_cut():
    assert list(Segments(["<s>"]).of(LONG * 3)) == [LONG * 3]
    assert list(Segments([]).of(LONG * 3)) == [LONG * 3]


def test_markers_that_may_overlap_are_no_place_to_cut():
    for markers in (["<a", "x<a"], ["\n", "\n\n"], ["ab", "bc"]):
        assert list(Segments(markers).of("".join(markers) * 20_000)) == ["".join(markers) * 20_000]


def test_a_marker_that_begins_another_is_a_place_to_cut():
    assert len(list(Segments(["<a", "<ab"]).of((LONG + "<ab") * 3))) == 4
