"""Bytes of tokens in, whole characters out.

A token may end in the middle of a character, so text exists only once all bytes of a character have arrived. Must not know what a
token is, nor what becomes of the text.
"""

import codecs

_utf8_decoder = codecs.getincrementaldecoder("utf-8")


class Detokenizer:
    """Decodes one answer's UTF-8 as it grows; bytes that no continuation can make valid become U+FFFD."""

    def __init__(self) -> None:
        self._decoder = _utf8_decoder(errors="replace")

    @property
    def pending_bytes(self) -> int:
        """How many bytes are held back because they begin a character that is not complete: at most 3."""
        return len(self._decoder.getstate()[0])

    def push(self, piece: bytes) -> str:
        """The characters that `piece` completes."""
        return self._decoder.decode(piece)

    def flush(self) -> str:
        """What the end of the answer makes of the held bytes: U+FFFD, or nothing. Afterwards a new text may begin."""
        text = self._decoder.decode(b"", final=True)
        self._decoder.reset()
        return text
