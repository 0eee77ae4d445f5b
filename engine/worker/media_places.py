"""Where a prompt has vectors in place of tokens: which span begins at which position, and how it is told from any other's.

A prompt is a list with one number for each position. Where a picture stands the numbers are negative, made of a digest of what the
vectors are: so they are compared as tokens are, and only the same picture is the same prefix. Must not know how vectors come about.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

import msgspec

from engine.llama.projector import Span, Vectors

_ID_BITS = 62
"""A prompt's numbers are kept as signed 64-bit ones."""


class PlacedSpan(msgspec.Struct, frozen=True, eq=False):
    """Vectors that stand at position `start` of a prompt."""

    start: int
    span: Span
    vectors: Vectors


class MediaPlaces:
    """The spans of one prompt. Without any it is a prompt of tokens alone. `encoding_ns`: how long it took to make their vectors."""

    def __init__(self, placed: Iterable[PlacedSpan] = (), encoding_ns: int = 0) -> None:
        self.encoding_ns = encoding_ns
        self._placed = sorted(placed, key=lambda each: each.start)
        self._starts = [each.start for each in self._placed]
        self._rows_before = list(accumulate((_extra_rows(each.span) for each in self._placed), initial=0))

    def __len__(self) -> int:
        return len(self._placed)

    @property
    def extra_rows(self) -> int:
        """How many more cells of the KV cache the prompt takes than it has positions."""
        return self._rows_before[-1]

    def extra_rows_before(self, position: int) -> int:
        """As `extra_rows`, of the spans that begin before a position."""
        return self._rows_before[bisect_left(self._starts, position)]

    def rows(self, *, sound: bool) -> int:
        """How many vectors are of sounds, or else of pictures."""
        return sum(each.span.rows for each in self._placed if each.span.is_sound == sound)

    def at(self, position: int) -> PlacedSpan | None:
        """The span that begins at a position."""
        index = bisect_left(self._starts, position)
        found = self._placed[index] if index < len(self._placed) else None
        return found if found is not None and found.start == position else None

    def tokens_from(self, position: int, count: int) -> int:
        """How many of `count` positions from this one on come before the next span."""
        index = bisect_left(self._starts, position)
        return min(count, self._starts[index] - position) if index < len(self._starts) else count


NO_MEDIA = MediaPlaces()


def span_ids(digest: bytes, number: int, span: Span) -> list[int]:
    """The numbers for the positions of the span of this number of what has this digest."""
    seed = digest + number.to_bytes(4, "little")
    return [_id(seed, place) for place in range(span.length)]


def without_media(tokens: Sequence[int]) -> list[int]:
    """The tokens of a prompt that are tokens."""
    return [token for token in tokens if token >= 0]


def _id(seed: bytes, place: int) -> int:
    digest = hashlib.sha256(seed + place.to_bytes(4, "little")).digest()
    return -1 - (int.from_bytes(digest[:8], "little") >> (64 - _ID_BITS))


def _extra_rows(span: Span) -> int:
    return span.rows - span.length
