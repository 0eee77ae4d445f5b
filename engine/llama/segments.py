"""Where a long text can be cut so that its parts have the same tokens as the whole.

Owns the search for such places. Must not know llama.cpp, whose time for finding control tokens in a text grows with the square of
their number: 1 MB of nothing else takes it most of a minute, in parts of this size a second.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

SEGMENT_CHARACTERS = 1 << 14
_MAX_MARKERS = 1024
_MAX_MARKER_CHARACTERS = 64


class Segments:
    """Cuts texts before whole `markers`: strings that are one token wherever they stand in a text."""

    def __init__(self, markers: Iterable[str]) -> None:
        """Markers that may overlap with another are no place to cut."""
        texts = sorted(filter(None, set(markers)))
        inner = {character for text in texts for character in text[1:]}
        firsts = {text[0] for text in texts}
        apart = (text for text in texts if text[0] not in inner and not firsts.intersection(text[1:]))
        safe = [text for text in apart if len(text) <= _MAX_MARKER_CHARACTERS][:_MAX_MARKERS]
        self._pattern = re.compile(_alternatives(safe)) if safe else None

    def of(self, text: str) -> Iterator[str]:
        """The parts of `text` in order; one, unless it is long."""
        start = 0
        while self._pattern and len(text) - start > SEGMENT_CHARACTERS:
            cut = self._pattern.search(text, start + SEGMENT_CHARACTERS)
            if cut is None:
                break
            yield text[start : cut.start()]
            start = cut.start()
        yield text[start:]


def _alternatives(texts: Sequence[str]) -> str:
    """A pattern for any of the sorted `texts`, each beginning written once: what does not match costs no more for their number."""
    branches = []
    for first, group in groupby(texts, key=lambda text: text[0]):
        rests = [text[1:] for text in group]
        branches.append(re.escape(first) + (_alternatives(rests) if rests[0] else ""))
    return f"(?:{'|'.join(branches)})"
