"""How long the sound in a WAV or MP3 file lasts, told without decoding it: never less than a decoder would make of it.

Owns the two formats' headers (Microsoft's RIFF WAVE; ISO/IEC 11172-3 and 13818-3). Must not know what is too long.
"""

import struct
from collections.abc import Iterator

_CHUNK = struct.Struct("<4sI")
_WAVE_FORMAT = struct.Struct("<HHIIHH")
_PLAIN_ENCODINGS = {0x0001: "PCM", 0x0003: "float", 0x0006: "A-law", 0x0007: "mu-law", 0xFFFE: "extensible"}
_RATES = range(4000, 384_001)
_CHANNELS = range(1, 9)

_MPEG_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
"""By version: 3 is MPEG 1, 2 is MPEG 2, 0 is MPEG 2.5."""
_KBITS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_LOW = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_MPEG_1 = 3
_LAYER_3 = 1
_BYTES_PER_SECOND_AT_LEAST = 1000
"""The lowest rate of any MPEG audio frame, 8 kbit/s."""


class UnknownSound(ValueError):
    """It is neither format, or one that is not taken; the text continues "expected WAV or MP3, but"."""


def sound_seconds(content: bytes) -> float:
    """How long it lasts at most. UnknownSound where that can't be told."""
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        return _wave_seconds(content)
    if content[:3] == b"ID3" or _frame_at(content, 0) is not None:
        return _mp3_seconds(content)
    raise UnknownSound("its content is neither")


def _wave_seconds(content: bytes) -> float:
    chunks = dict(_wave_chunks(content))
    start = chunks.get(b"fmt ", (0, 0))[0]
    if not start or len(content) < start + _WAVE_FORMAT.size:
        raise UnknownSound("the WAV file does not say how it is encoded")
    encoding, channels, rate, _, frame_bytes, bits = _WAVE_FORMAT.unpack_from(content, start)
    if encoding not in _PLAIN_ENCODINGS:
        raise UnknownSound(
            f"the WAV file is encoded as {encoding:#06x}; only {', '.join(_PLAIN_ENCODINGS.values())} is taken"
        )
    if rate not in _RATES or channels not in _CHANNELS or not bits or frame_bytes * 8 != channels * bits:
        raise UnknownSound(
            f"the WAV file's header makes no sense: {rate} Hz, {channels} channels of {bits} bits, {frame_bytes} bytes each"
        )
    data_bytes = chunks.get(b"data", (0, 0))[1]
    if not data_bytes:
        raise UnknownSound("the WAV file holds no sound")
    return float(data_bytes / (frame_bytes * rate))


def _wave_chunks(content: bytes) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Each chunk's name with where it starts and how much of it is there."""
    place = 12
    while place + _CHUNK.size <= len(content):
        name, size = _CHUNK.unpack_from(content, place)
        place += _CHUNK.size
        yield name, (place, min(size, len(content) - place))
        place += size + size % 2


def _mp3_seconds(content: bytes) -> float:
    """By its frames where the file is nothing but frames behind its tag; else by its length, as if all was of the lowest rate."""
    start = place = _behind_id3(content)
    seconds = 0.0
    while (frame := _frame_at(content, place)) is not None:
        length, lasts = frame
        place += length
        seconds += lasts
    if place == start:
        raise UnknownSound("the MP3 file has no frame where the first should be")
    if place >= len(content) or content[place : place + 3] == b"TAG" or content[place : place + 8] == b"APETAGEX":
        return seconds
    return len(content) / _BYTES_PER_SECOND_AT_LEAST


def _behind_id3(content: bytes) -> int:
    if content[:3] != b"ID3" or len(content) < 10:
        return 0
    size = 0
    for byte in content[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size


def _frame_at(content: bytes, place: int) -> tuple[int, float] | None:
    """The length in bytes and in seconds of the layer 3 frame whose header stands here; None where none does."""
    header = content[place : place + 4]
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    rates = _MPEG_RATES.get(version)
    kbits_index, rate_index = header[2] >> 4, header[2] >> 2 & 3
    if rates is None or layer != _LAYER_3 or rate_index == 3 or kbits_index in (0, 15):
        return None
    samples = 1152 if version == _MPEG_1 else 576
    kbits = (_KBITS if version == _MPEG_1 else _KBITS_LOW)[kbits_index]
    rate = rates[rate_index]
    padding = header[2] >> 1 & 1
    return samples * kbits * 125 // rate + padding, samples / rate
