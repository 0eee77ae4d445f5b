"""GGUF files byte by byte: small models for tests, and files that lie about themselves."""

import struct
from pathlib import Path

TEMPLATE = "{% for message in messages %}{{ message.content }}{% endfor %}"


def u32(value: int) -> bytes:
    return struct.pack("<I", value)


def u64(value: int) -> bytes:
    return struct.pack("<Q", value)


def text(value: str | bytes) -> bytes:
    encoded = value.encode() if isinstance(value, str) else value
    return u64(len(encoded)) + encoded


def pair(key: str, value: str | int | list[str]) -> bytes:
    """A key with a string, uint32 or array of strings."""
    if isinstance(value, str):
        return text(key) + u32(8) + text(value)
    if isinstance(value, int):
        return text(key) + u32(4) + u32(value)
    return text(key) + u32(9) + u32(8) + u64(len(value)) + b"".join(map(text, value))


def tensor(name: str, shape: tuple[int, ...] = (32, 2), type_code: int = 8, offset: int = 0) -> bytes:
    dimensions = b"".join(map(u64, shape))
    return text(name) + u32(len(shape)) + dimensions + u32(type_code) + u64(offset)


def gguf(pairs: list[bytes], tensors: list[bytes] = (), *, version: int = 3, weights: bytes = bytes(256)) -> bytes:
    counts = u64(len(tensors)) + u64(len(pairs))
    return b"GGUF" + u32(version) + counts + b"".join(pairs) + b"".join(tensors) + weights


def model(architecture: str = "llama", **values: str | int | list[str]) -> bytes:
    """A small model's file. Keys: `a__b` stands for `a.b`, and `_arch__x` for `{architecture}.x`."""
    named = {key.replace("_arch__", f"{architecture}.").replace("__", "."): value for key, value in values.items()}
    keys = {"general.architecture": architecture, "general.file_type": 7, **named}
    return gguf([pair(key, value) for key, value in keys.items()], [tensor("token_embd.weight")])


def write_model(path: Path, architecture: str = "llama", **values: str | int | list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model(architecture, **values))
    return path
