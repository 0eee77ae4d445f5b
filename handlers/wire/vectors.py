"""Embedding vectors as numbers and as text. Must not know a dialect."""

import base64
import struct

from engine import ModelEntry
from handlers.wire.refusal import InvalidParameter

_FLOAT32_BYTES = 4


def as_numbers(vector: bytes) -> list[float]:
    """The values of a vector of little-endian float32."""
    return list(struct.unpack(f"<{len(vector) // _FLOAT32_BYTES}f", vector))


def as_base64(vector: bytes) -> str:
    """A vector of little-endian float32 as base64 text."""
    return base64.b64encode(vector).decode("ascii")


def check_dimensions(dimensions: int | None, entry: ModelEntry) -> int | None:
    """`dimensions`, if the model's vectors are at least that long. Raises InvalidParameter naming both numbers."""
    length = entry.metadata.embedding_length
    if dimensions is not None and length is not None and dimensions > length:
        raise InvalidParameter(
            f"dimensions: {dimensions} were asked for, but the vectors of {entry.name!r} have {length}", "dimensions"
        )
    return dimensions
