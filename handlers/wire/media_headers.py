"""What a picture's or a sound's file says of itself before it is decoded: its format, and how large it will be in memory.

Owns which formats are taken, and the bounds that keep a small file from becoming a large picture. The content counts, whatever the request
calls it. Must not know where a file came from.
"""

from io import BytesIO
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from handlers.wire.media import MediaKind
from handlers.wire.refusal import InvalidParameter
from handlers.wire.sound_headers import UnknownSound, sound_seconds

PICTURE_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP")
_MOST_ASPECT = 200
"""Qwen's image processors take no longer ones, and llama.cpp's make pictures without rows of them."""

Image.MAX_IMAGE_PIXELS = None
"""The bound here is a setting, and refuses where Pillow's would warn."""


class MediaLimits(NamedTuple):
    """The largest picture and the longest sound that are taken."""

    image_pixels: int
    audio_seconds: float


def check_media(kind: MediaKind, content: bytes, limits: MediaLimits, where: str) -> None:
    """Raises InvalidParameter unless it is a file of a known format within the limits, as far as its header tells."""
    if kind == "image":
        _check_picture(content, limits, where)
    else:
        _check_sound(content, limits, where)


def _check_picture(content: bytes, limits: MediaLimits, where: str) -> None:
    try:
        with Image.open(BytesIO(content), formats=PICTURE_FORMATS) as picture:
            width, height = picture.size
    except UnidentifiedImageError:
        raise InvalidParameter(f"{where}: expected a PNG, JPEG, GIF, BMP or WebP picture", where) from None
    except Exception as error:
        # Pillow's readers raise whatever a broken header brings about.
        raise InvalidParameter(f"{where}: the picture's header is broken: {error}", where) from error
    if width * height > limits.image_pixels:
        message = f"{where}: the picture has {width} x {height} pixels; expected at most {limits.image_pixels} in all"
        raise InvalidParameter(message, where)
    if not width or not height or max(width, height) > _MOST_ASPECT * min(width, height):
        message = f"{where}: the picture has {width} x {height} pixels; expected one side at most {_MOST_ASPECT} times the other"
        raise InvalidParameter(message, where)


def _check_sound(content: bytes, limits: MediaLimits, where: str) -> None:
    try:
        seconds = sound_seconds(content)
    except UnknownSound as error:
        raise InvalidParameter(f"{where}: expected WAV or MP3 sound, but {error}", where) from None
    if seconds > limits.audio_seconds:
        message = f"{where}: the sound may last {seconds:.0f} seconds; expected at most {limits.audio_seconds:g}"
        raise InvalidParameter(message, where)
