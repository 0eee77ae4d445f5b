"""What a file's header tells before it is decoded: formats by content, and small files of large pictures refused."""

import io
import struct
import zlib

import pytest
from PIL import Image

from handlers.wire.media_headers import PICTURE_FORMATS, MediaLimits, check_media
from handlers.wire.refusal import InvalidParameter

LIMITS = MediaLimits(image_pixels=50_000_000, audio_seconds=60)
WHERE = "images[0]"


def picture(form="PNG", size=(3, 2)):
    file = io.BytesIO()
    Image.new("RGB", size, "red").save(file, form)
    return file.getvalue()


def png_header(width, height):
    """The beginning of a PNG file of this size: what follows would be its pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(100))
    chunks = (
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in (header, data)
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("form", PICTURE_FORMATS)
def test_each_format_is_known_by_its_content(form) -> None:
    check_media("image", picture(form), LIMITS, WHERE)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "expected a PNG, JPEG, GIF, BMP or WebP picture"),
        (b"hello", "expected a PNG, JPEG, GIF, BMP or WebP picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "expected a PNG"),
        (picture("TIFF"), "expected a PNG"),
        (picture()[:20], "header is broken"),
        (png_header(100_000, 100_000), "100000 x 100000 pixels; expected at most 50000000"),
        (png_header(0, 5), "expected a PNG"),
        (png_header(1, 201), "200 times"),
    ],
)
def test_what_is_no_picture_that_can_be_taken_is_refused_by_its_place(content, complaint) -> None:
    with pytest.raises(InvalidParameter, match=complaint) as refusal:
        check_media("image", content, LIMITS, WHERE)
    assert refusal.value.param == WHERE


def test_the_limit_counts_pixels() -> None:
    limits = LIMITS._replace(image_pixels=6)
    check_media("image", picture(size=(3, 2)), limits, WHERE)
    with pytest.raises(InvalidParameter, match="at most 6"):
        check_media("image", picture(size=(7, 1)), limits, WHERE)


def test_sound_is_no_picture_and_a_picture_is_no_sound() -> None:
    with pytest.raises(InvalidParameter, match="expected WAV or MP3"):
        check_media("audio", picture(), LIMITS, WHERE)
    with pytest.raises(InvalidParameter, match="expected a PNG"):
        check_media("image", b"RIFF\x00\x00\x00\x00WAVEfmt ", LIMITS, WHERE)
