"""Reads the header of a GGUF file: its key-value pairs and tensor descriptions, never the weights.

Owns the byte layout (ggml/docs/gguf.md, versions 2 and 3) and the bounds that keep a hostile file from costing time or
memory: big arrays are skipped, every count is checked before it is believed. The `gguf` package's own reader takes
seconds for a vocabulary of 150,000 tokens, this takes milliseconds. Must not know what a key means.
"""

import os
import stat
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from engine.errors import CatalogError
from engine.host.byte_cursor import MAX_KEPT_BYTES, MAX_STRINGS, U32, U64, ByteCursor, Malformed
from engine.host.ggml_types import TENSOR_BLOCKS

_MAX_KEYS = 1 << 14
_MAX_KEY_BYTES = 1 << 16
_MAX_TENSORS = 1 << 16
_MAX_DIMENSIONS = 4
_MAX_PARAMETERS = (1 << 63) - 1
_SMALL_ARRAY = 64
_DEFAULT_ALIGNMENT = 32

_STRING, _ARRAY, _BOOL = 8, 9, 7
_NUMBERS = {
    code: struct.Struct(f"<{letter}")
    for code, letter in {
        0: "B",
        1: "b",
        2: "H",
        3: "h",
        4: "I",
        5: "i",
        6: "f",
        7: "?",
        10: "Q",
        11: "q",
        12: "d",
    }.items()
}


class Tensor(NamedTuple):
    """One tensor's description. `type_code` is a ggml_type; `shape` is in ggml's order, fastest dimension first."""

    name: str
    type_code: int
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Header:
    """A file's header. Arrays too big to keep are None in `values`; `spans` says where the strings of such an array lie
    in the file (first byte, end), `lengths` how many elements every array has."""

    values: dict[str, Any] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    tensors: tuple[Tensor, ...] = ()


def read_header(path: Path, *, whole_arrays: bool = False) -> Header:
    """The header of the GGUF file at `path`; `whole_arrays` keeps big arrays too. Raises CatalogError, naming the file."""
    try:
        with os.fdopen(_open_regular(path), "rb", buffering=0) as file:
            return _read(ByteCursor(file, os.fstat(file.fileno()).st_size), whole_arrays)
    except OSError as error:
        raise CatalogError(f"{path}: cannot be read: {error.strerror or error}") from error
    except Malformed as error:
        raise CatalogError(f"{path}: not a usable GGUF file: {error}") from None


def strings_among(path: Path, span: tuple[int, int], texts: Iterable[str]) -> frozenset[str]:
    """Those of `texts` that are among the strings that lie in `span` of the file."""
    try:
        with os.fdopen(_open_regular(path), "rb", buffering=0) as file:
            file.seek(span[0])
            block = file.read(min(span[1] - span[0], MAX_KEPT_BYTES))
    except OSError as error:
        raise CatalogError(f"{path}: cannot be read: {error.strerror or error}") from error
    return frozenset(text for text in texts if _packed(text) in block)


def _packed(text: str) -> bytes:
    encoded = text.encode()
    return U64.pack(len(encoded)) + encoded


def _open_regular(path: Path) -> int:
    """Open a regular file only: a pipe would block for ever, a device never end."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(None, "not a regular file")
    return descriptor


def _read(cursor: ByteCursor, whole_arrays: bool) -> Header:
    tensor_count, key_count = _read_counts(cursor)
    header = Header()
    for _ in range(key_count):
        key = cursor.text(_MAX_KEY_BYTES)
        if key in header.values:
            raise Malformed(f"the key {key[:80]!r} stands twice")
        header.values[key] = _read_value(cursor, key, header, whole_arrays)
    tensors = _read_tensors(cursor, tensor_count)
    _require_weights(cursor, tensors, header.values.get("general.alignment", _DEFAULT_ALIGNMENT))
    return Header(header.values, header.lengths, header.spans, tuple(tensor for tensor, _ in tensors))


def _read_counts(cursor: ByteCursor) -> tuple[int, int]:
    if cursor.take(4) != b"GGUF":
        raise Malformed("it does not begin with 'GGUF'")
    version = cursor.unpack(U32)
    if version not in (2, 3):
        swapped = int.from_bytes(version.to_bytes(4, "little"), "big")
        reason = "it is big-endian" if swapped in (2, 3) else f"GGUF version {version}; 2 and 3 are known"
        raise Malformed(reason)
    tensor_count, key_count = cursor.unpack(U64), cursor.unpack(U64)
    if tensor_count > _MAX_TENSORS or key_count > _MAX_KEYS:
        raise Malformed(f"it announces {key_count} keys and {tensor_count} tensors")
    return tensor_count, key_count


def _read_value(cursor: ByteCursor, key: str, header: Header, whole_arrays: bool) -> Any:
    code = cursor.unpack(U32)
    if code == _ARRAY:
        return _read_array(cursor, key, header, whole_arrays)
    if code == _STRING:
        return cursor.text()
    return cursor.unpack(_number_layout(code, key))


def _read_array(cursor: ByteCursor, key: str, header: Header, whole_arrays: bool) -> list[Any] | None:
    code, count = cursor.unpack(U32), cursor.unpack(U64)
    header.lengths[key] = count
    kept = count <= (MAX_STRINGS if whole_arrays else _SMALL_ARRAY)
    if code == _STRING:
        return _read_strings(cursor, key, header, count, kept)
    layout = _number_layout(code, key)
    if not kept:
        cursor.skip(count * layout.size)
        return None
    packed = cursor.keep(count * layout.size)
    return [value for (value,) in layout.iter_unpack(packed)]


def _read_strings(cursor: ByteCursor, key: str, header: Header, count: int, kept: bool) -> list[str] | None:
    start = cursor.position
    cursor.allow_strings(count)
    texts = [cursor.text() for _ in range(count)] if kept else None
    if not kept:
        cursor.skip_strings(count)
    header.spans[key] = (start, cursor.position)
    return texts


def _number_layout(code: int, key: str) -> struct.Struct:
    layout = _NUMBERS.get(code)
    if layout is None:
        raise Malformed(f"the key {key[:80]!r} has the unknown value type {code}")
    return layout


def _read_tensors(cursor: ByteCursor, count: int) -> list[tuple[Tensor, int]]:
    """Each tensor with the offset of its weights behind the header."""
    tensors: list[tuple[Tensor, int]] = []
    parameters = 0
    for _ in range(count):
        tensor, offset = _read_tensor(cursor)
        tensors.append((tensor, offset))
        parameters += parameter_count(tensor)
        if parameters > _MAX_PARAMETERS:
            raise Malformed("its tensors have an impossible size")
    return tensors


def _require_weights(cursor: ByteCursor, tensors: list[tuple[Tensor, int]], alignment: Any) -> None:
    """Raises Malformed where the file ends before its last tensor does: it was not downloaded or copied whole."""
    if not isinstance(alignment, int) or alignment < 1:
        raise Malformed(f"its general.alignment is {alignment!r}")
    begin = -(-cursor.position // alignment) * alignment
    expected = begin + max((offset + _size_bytes(tensor) for tensor, offset in tensors), default=0)
    if tensors and expected > cursor.size_bytes:
        raise Malformed(
            f"its tensor data is truncated: it needs {expected} bytes, but the file has {cursor.size_bytes}"
        )


def _size_bytes(tensor: Tensor) -> int:
    """Of its weights; 0 where the type is not known here, and llama.cpp has to judge."""
    weights, block_bytes = TENSOR_BLOCKS.get(tensor.type_code, (1, 0))
    return parameter_count(tensor) // weights * block_bytes


def _read_tensor(cursor: ByteCursor) -> tuple[Tensor, int]:
    name = cursor.text(_MAX_KEY_BYTES)
    dimensions = cursor.unpack(U32)
    if dimensions > _MAX_DIMENSIONS:
        raise Malformed(f"the tensor {name[:80]!r} has {dimensions} dimensions")
    shape = tuple(cursor.unpack(U64) for _ in range(dimensions))
    type_code, offset = cursor.unpack(U32), cursor.unpack(U64)
    return Tensor(name, type_code, shape), offset


def parameter_count(tensor: Tensor) -> int:
    """How many numbers a tensor holds."""
    count = 1
    for dimension in tensor.shape:
        count *= dimension
    return count
