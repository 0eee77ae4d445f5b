"""Owns what was encoded of pictures and sound: kept by content within so many bytes, what was used longest ago dropped first.

Must not know requests, nor how anything is encoded.
"""

import threading
from collections import OrderedDict

import msgspec

from engine.activity import CacheActivity
from engine.llama.projector import Piece, Vectors


class EncodedMedia(msgspec.Struct, frozen=True, eq=False):
    """What a model reads of a picture or a sound: its pieces, and the vectors of those that are spans, in order."""

    pieces: tuple[Piece, ...]
    vectors: tuple[Vectors, ...]

    @property
    def size_bytes(self) -> int:
        """What it takes of the host's memory."""
        return sum(vectors.nbytes for vectors in self.vectors)


class MediaCache:
    """Encoded media by key. `hits` were found, `misses` were not. Safe in any thread."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.size_bytes = 0
        self.hits = 0
        self.misses = 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, EncodedMedia] = OrderedDict()

    def __repr__(self) -> str:
        return f"MediaCache({len(self._kept)} in {self.size_bytes} of {self.limit_bytes} bytes)"

    def activity(self) -> CacheActivity:
        """How much is here, and how often that was of use."""
        return CacheActivity(
            name="media",
            entries=len(self._kept),
            size_bytes=self.size_bytes,
            limit_bytes=self.limit_bytes,
            hits=self.hits,
            misses=self.misses,
        )

    def find(self, key: bytes) -> EncodedMedia | None:
        """What is kept under a key."""
        found = self.find_again(key)
        with self._lock:
            if found is None:
                self.misses += 1
            else:
                self.hits += 1
        return found

    def find_again(self, key: bytes) -> EncodedMedia | None:
        """The same for one that was not there before, and that may be by now: it is neither a hit nor another miss."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def keep(self, key: bytes, encoded: EncodedMedia) -> None:
        """Keep it, unless it alone is too large."""
        if encoded.size_bytes > self.limit_bytes:
            return
        with self._lock:
            self._drop(key)
            while self.size_bytes + encoded.size_bytes > self.limit_bytes:
                self._drop(next(iter(self._kept)))
            self._kept[key] = encoded
            self.size_bytes += encoded.size_bytes

    def _drop(self, key: bytes) -> None:
        dropped = self._kept.pop(key, None)
        if dropped is not None:
            self.size_bytes -= dropped.size_bytes
