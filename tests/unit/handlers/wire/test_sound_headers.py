"""How long sounds last, told from their headers: never less than a decoder would make of them."""

import io
import struct
import wave

import pytest

from handlers.wire.media_headers import MediaLimits, check_media
from handlers.wire.refusal import InvalidParameter
from handlers.wire.sound_headers import UnknownSound, sound_seconds

FRAME = b"\xff\xfb\x90\x00" + bytes(413)
"""MPEG 1, layer 3, 128 kbit/s at 44.1 kHz: 417 bytes for 1152 samples."""
FRAME_SECONDS = 1152 / 44100


def wav(seconds=1.0, rate=8000, channels=1, width=2):
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((channels, width, rate, 0, "NONE", ""))
        writer.writeframes(bytes(int(seconds * rate) * channels * width))
    return file.getvalue()


def wave_header(encoding=1, channels=1, rate=8000, frame_bytes=2, bits=16, data=b"\0" * 16000, size=None):
    form = struct.pack("<HHIIHH", encoding, channels, rate, rate * frame_bytes, frame_bytes, bits)
    chunks = (
        b"fmt "
        + struct.pack("<I", len(form))
        + form
        + b"data"
        + struct.pack("<I", len(data) if size is None else size)
        + data
    )
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


@pytest.mark.parametrize(("rate", "channels", "width"), [(8000, 1, 2), (44100, 2, 2), (48000, 1, 1), (16000, 6, 3)])
def test_a_wav_file_lasts_as_long_as_its_samples(rate, channels, width) -> None:
    assert sound_seconds(wav(1.5, rate, channels, width)) == pytest.approx(1.5, abs=0.01)


def test_a_size_that_the_file_does_not_have_is_not_believed() -> None:
    assert sound_seconds(wave_header(size=0xFFFF_FFFF)) == 1.0


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        ({"encoding": 2}, "encoded as 0x0002"),
        ({"rate": 1}, "makes no sense"),
        ({"channels": 0}, "makes no sense"),
        ({"frame_bytes": 8}, "makes no sense"),
        ({"data": b""}, "holds no sound"),
    ],
)
def test_a_header_that_would_make_much_of_little_is_refused(header, complaint) -> None:
    with pytest.raises(UnknownSound, match=complaint):
        sound_seconds(wave_header(**header))


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0WEBPVP8 ", b"fLaC", b"ID3\4\0\0\0\0\0\0"]
)
def test_what_is_neither_wav_nor_mp3_is_refused(content) -> None:
    with pytest.raises(UnknownSound):
        sound_seconds(content)


@pytest.mark.parametrize("begin", [b"", b"ID3\4\0\0\0\0\x01\0" + bytes(128)])
@pytest.mark.parametrize("end", [b"", b"TAG" + bytes(125)])
def test_an_mp3_file_lasts_as_long_as_its_frames(begin, end) -> None:
    assert sound_seconds(begin + 10 * FRAME + end) == pytest.approx(10 * FRAME_SECONDS)


def test_an_mp3_file_with_anything_else_in_it_counts_as_of_the_lowest_rate() -> None:
    content = 2 * FRAME + b"garbage" + 2 * FRAME
    assert sound_seconds(content) == len(content) / 1000


def test_a_sound_that_lasts_too_long_is_refused_by_its_place() -> None:
    with pytest.raises(InvalidParameter, match="may last 3 seconds; expected at most 2") as refusal:
        check_media("audio", wav(3.0), MediaLimits(1, 2), "messages[0].content[0]")
    assert refusal.value.param == "messages[0].content[0]"
