"""Where a prompt has vectors for tokens: positions, rows, and numbers that only the same picture has."""

import numpy as np

from engine.llama.projector import Span
from engine.worker.media_places import MediaPlaces, PlacedSpan, span_ids, without_media


def span(rows, length, *, is_sound=False):
    ones = np.ones((1, rows), dtype=np.int32)
    return Span(length=length, positions=ones, moves=ones, is_sound=is_sound)


def placed(start, rows, length, **changes):
    return PlacedSpan(start, span(rows, length, **changes), np.zeros((rows, 1), dtype=np.float32))


PLACES = MediaPlaces([placed(20, 9, 3), placed(5, 4, 4, is_sound=True), placed(30, 16, 4)])


def test_a_span_is_found_where_it_begins_and_nowhere_else():
    assert [position for position in range(40) if PLACES.at(position)] == [5, 20, 30]


def test_tokens_end_where_a_span_begins():
    assert [PLACES.tokens_from(position, 100) for position in (0, 9, 23, 34)] == [5, 11, 7, 100]
    assert PLACES.tokens_from(0, 3) == 3


def test_a_picture_may_take_more_cells_than_positions():
    assert PLACES.extra_rows == 6 + 12
    assert [PLACES.extra_rows_before(position) for position in (20, 21, 30, 34)] == [0, 6, 6, 18]


def test_rows_are_counted_by_what_they_are_of():
    assert (PLACES.rows(sound=False), PLACES.rows(sound=True)) == (25, 4)


def test_a_prompt_of_tokens_alone_has_no_places():
    assert not MediaPlaces()
    assert MediaPlaces().at(0) is None
    assert MediaPlaces().tokens_from(0, 7) == 7


def test_the_numbers_of_a_picture_are_its_own_negative_and_fit_64_bits():
    one, same, other, next_span = (
        span_ids(digest, number, span(9, 3)) for digest, number in ((b"a", 0), (b"a", 0), (b"b", 0), (b"a", 1))
    )
    assert one == same
    assert len({*one, *other, *next_span}) == 9
    assert all(-(1 << 63) <= number < 0 for number in one)


def test_only_tokens_are_left_without_media():
    assert without_media([1, -5, -6, 2]) == [1, 2]
