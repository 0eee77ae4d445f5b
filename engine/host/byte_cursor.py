"""A position in a file of length-prefixed values, over a small window of its bytes.

Owns the bounds that keep a hostile file from costing time or memory: what is taken must be there, what is kept is
counted, what need not be kept is skipped. Must not know what the values mean.
"""

import struct
from typing import Any, BinaryIO

U32 = struct.Struct("<I")
U64 = struct.Struct("<Q")

MAX_KEPT_BYTES = 1 << 26
MAX_STRINGS = 1 << 22
_WINDOW_BYTES = 1 << 18


class Malformed(Exception):
    """The bytes are not what they should be; the text says why."""


class ByteCursor:
    """A position in the file, over a window of its bytes."""

    def __init__(self, file: BinaryIO, size_bytes: int) -> None:
        self._file = file
        self.size_bytes = size_bytes
        self._window = b""
        self._base = 0
        self._at = 0
        self._kept_bytes = 0
        self._strings = 0

    @property
    def position(self) -> int:
        """The offset of the next byte in the file."""
        return self._base + self._at

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        self._require(count)
        start = self._at
        self._at += count
        return self._window[start : self._at]

    def keep(self, count: int) -> bytes:
        """The next `count` bytes, counted against what one header may hold in memory."""
        self._kept_bytes += count
        if self._kept_bytes > MAX_KEPT_BYTES:
            raise Malformed(f"its header holds more than {MAX_KEPT_BYTES} bytes of text and arrays")
        return self.take(count)

    def unpack(self, layout: struct.Struct) -> Any:
        """The next number of this layout."""
        return layout.unpack(self.take(layout.size))[0]

    def text(self, max_bytes: int = MAX_KEPT_BYTES) -> str:
        """The next length-prefixed string; bytes that are not UTF-8 become U+FFFD."""
        length = self.unpack(U64)
        if length > max_bytes:
            raise Malformed(f"it has a string of {length} bytes at offset {self.position}")
        return self.keep(length).decode("utf-8", "replace")

    def skip(self, count: int) -> None:
        """Step over `count` bytes without reading them."""
        if self.position + count > self.size_bytes:
            raise Malformed("its header is truncated")
        self._at += count

    def allow_strings(self, count: int) -> None:
        """Count `count` strings against what one header may hold: an empty string costs time, though few bytes."""
        self._strings += count
        if self._strings > MAX_STRINGS:
            raise Malformed(f"it announces more than {MAX_STRINGS} strings in arrays")

    def skip_strings(self, count: int) -> None:
        """Step over `count` length-prefixed strings; the loop runs once for each of a vocabulary's tokens."""
        unpack_from = U64.unpack_from
        while count:
            self._require(8)
            window, at, last = self._window, self._at, len(self._window) - 8
            while count and at <= last:
                at += 8 + unpack_from(window, at)[0]
                count -= 1
            self.skip(at - self._at)

    def _require(self, count: int) -> None:
        """Have `count` bytes from the position on in the window."""
        if self._at + count <= len(self._window):
            return
        if self.position + count > self.size_bytes:
            raise Malformed("its header is truncated")
        self._base, self._at = self.position, 0
        self._file.seek(self._base)
        self._window = self._file.read(max(count, _WINDOW_BYTES))
        if len(self._window) < count:
            raise Malformed("its header is truncated")
