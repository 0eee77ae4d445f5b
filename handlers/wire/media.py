"""Pictures and sounds as requests carry them: base64 text, `data:` URLs, and addresses to fetch them from. Must not know their formats."""

import base64
import binascii
import re
from typing import Literal, NamedTuple

from handlers.wire.refusal import InvalidParameter

MediaKind = Literal["image", "audio"]

# RFC 2397; what the type claims is not believed anyway.
_DATA_URL = re.compile(r"data:([^,;]*)((?:;[^,;]*)*),", re.IGNORECASE)
_LINE_ENDS = str.maketrans("", "", "\r\n")
_LONGEST_ADDRESS_CHARACTERS = 8192


class MediaSource(NamedTuple):
    """A picture or sound that a request brings as `base64` text, or names by its `address`. `where`: its part of the request.
    `most_side_pixels`: in which size to look at it, None: in its own."""

    kind: MediaKind
    where: str
    base64: str | None = None
    address: str | None = None
    most_side_pixels: int | None = None


def picture_at(url: str, where: str, most_side_pixels: int | None = None) -> MediaSource:
    """The picture that a URL holds, or stands for. InvalidParameter where it is neither a `data:` URL in base64 nor an http(s) one."""
    found = _DATA_URL.match(url)
    if found is not None:
        if ";base64" not in found[2].lower():
            raise InvalidParameter(
                f"{where}: expected base64 in the data: URL, such as data:image/png;base64,...", where
            )
        return MediaSource("image", where, base64=url[found.end() :], most_side_pixels=most_side_pixels)
    if url.lower().startswith(("http://", "https://")) and len(url) <= _LONGEST_ADDRESS_CHARACTERS:
        return MediaSource("image", where, address=url, most_side_pixels=most_side_pixels)
    raise InvalidParameter(
        f"{where}: expected a data: URL or an http(s) one of at most {_LONGEST_ADDRESS_CHARACTERS} characters", where
    )


def decoded(source: MediaSource) -> bytes:
    """The bytes that the base64 text stands for. Raises InvalidParameter where it is none, or empty."""
    text = (source.base64 or "").translate(_LINE_ENDS)
    try:
        content = base64.b64decode(text.encode("ascii", "replace"), validate=True)
    except binascii.Error as error:
        raise InvalidParameter(f"{source.where}: expected base64, but: {error}", source.where) from None
    if not content:
        raise InvalidParameter(f"{source.where}: it is empty", source.where)
    return content
