"""Owns computed prefixes on disk: written beside the decoding, found again after a restart, bounded in bytes.

A file is complete or it is no file: it appears under its name once it is written, and what is read is checked against its digest. It
says for which model, by which llama.cpp and with which parameters it was computed; for any other it is not even looked at. The files hold
what was asked, so that only their owner may read them. Must not know slots.
"""

import glob
import hashlib
import logging
import os
import stat
import struct
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np

from engine.activity import CacheActivity
from engine.config import LoadParams
from engine.llama import library
from engine.worker.prefix_store import LEAST_TOKENS, Bucket, PrefixStore, StoredPrefix, bucket_of

_log = logging.getLogger("worker")

_MAGIC = b"trueline prefix 1\n"
_HEADER_LENGTH = struct.Struct("<I")
_DIGEST_BYTES = 32
_SUFFIX, _PARTIAL_SUFFIX = ".prefix", ".partial"
_ABANDONED_SECONDS = 3600.0
_MOST_UNWRITTEN_BYTES = 1 << 30


class _Header(msgspec.Struct, frozen=True):
    """What a file says of its state before it comes."""

    identity: str
    salt: str
    tokens: list[int]


class _Kept(msgspec.Struct, frozen=True):
    """A file that is there."""

    path: Path
    tokens: list[int]
    size_bytes: int


class PrefixFiles:
    """A directory of prefixes for one model as it is loaded here. Several workers may share the directory and its bound."""

    def __init__(self, directory: Path, limit_bytes: int, identity: str) -> None:
        """`identity` changes with everything that makes a state unusable elsewhere. Only `close` waits for the disk."""
        self._root = directory
        self._directory = directory / identity[:32]
        self._limit_bytes = limit_bytes
        self._identity = identity
        self._lock = threading.Lock()
        self._kept: dict[Bucket, list[_Kept]] = {}
        self._hits = 0
        self._misses = 0
        self._unwritten_bytes = 0
        self._is_stopped = False
        self._thread = ThreadPoolExecutor(1, "prefix-files")
        self._thread.submit(self._begin)

    def put(self, prefix: StoredPrefix) -> None:
        """Write a prefix some time; or never, where writing does not keep up or the disk is full."""
        with self._lock:
            if self._is_stopped or self._unwritten_bytes + prefix.size_bytes > _MOST_UNWRITTEN_BYTES:
                return
            self._unwritten_bytes += prefix.size_bytes
        self._thread.submit(self._write, prefix)

    def fetch(self, store: PrefixStore, salt: str, tokens: Sequence[int]) -> None:
        """Read the prefix with the most of `tokens` into the store, where it has less and computing it would take longer.

        Takes as long as the disk does: not for the decoding thread.
        """
        with self._lock:
            candidates = self._kept.get(bucket_of(_hashed(salt), tokens), ())
            best = max(candidates, key=lambda kept: store.usable_tokens(kept.tokens, tokens), default=None)
        if best is None:
            self._misses += len(tokens) > LEAST_TOKENS
            return
        if not store.lacks(salt, tokens, store.usable_tokens(best.tokens, tokens), best.size_bytes):
            return
        started = time.perf_counter()
        prefix = self._read(best, salt)
        if prefix is None:
            self._misses += 1
        else:
            self._hits += 1
            store.add(prefix)
            store.was_read(prefix, time.perf_counter() - started)

    def activity(self) -> CacheActivity:
        """How much is there of this model, and how often that was of use."""
        with self._lock:
            kept = [kept for each in self._kept.values() for kept in each]
        return CacheActivity(
            name="prefix_disk",
            entries=len(kept),
            size_bytes=sum(each.size_bytes for each in kept),
            limit_bytes=self._limit_bytes,
            hits=self._hits,
            misses=self._misses,
        )

    def close(self) -> None:
        """Wait until all is written."""
        self._thread.shutdown()

    def _begin(self) -> None:
        """Make the directory, clear what writers left that never ended, and learn what is there."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            for status, path in _files(self._root, _PARTIAL_SUFFIX):
                if status.st_mtime < time.time() - _ABANDONED_SECONDS:
                    path.unlink(missing_ok=True)
            for _, path in _files(self._directory, _SUFFIX):
                self._note(path, _read_header(path))
        except OSError as error:
            self._stop(error)

    def _note(self, path: Path, header: _Header | None) -> None:
        if header is None or header.identity != self._identity:
            return
        with suppress(FileNotFoundError), self._lock:
            kept = _Kept(path, header.tokens, path.stat().st_size)
            self._kept.setdefault(bucket_of(header.salt, header.tokens), []).append(kept)

    def _write(self, prefix: StoredPrefix) -> None:
        try:
            if not self._is_stopped:
                self._write_whole(_Header(self._identity, _hashed(prefix.salt), prefix.tokens), prefix)
        except OSError as error:
            self._stop(error)
        finally:
            with self._lock:
                self._unwritten_bytes -= prefix.size_bytes

    def _write_whole(self, header: _Header, prefix: StoredPrefix) -> None:
        encoded = msgspec.msgpack.encode(header)
        path = self._directory / (hashlib.sha256(encoded).hexdigest() + _SUFFIX)
        parts = (_MAGIC, _HEADER_LENGTH.pack(len(encoded)), encoded, prefix.state.data)
        if path.exists() or not self._make_room(sum(map(len, parts)) + _DIGEST_BYTES):
            return
        digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
        with tempfile.NamedTemporaryFile(dir=self._directory, suffix=_PARTIAL_SUFFIX, delete=False) as file:
            try:
                for part in parts:
                    digest.update(part)
                    file.write(part)
                file.write(digest.digest())
                file.flush()
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
        self._note(path, header)

    def _make_room(self, needed_bytes: int) -> bool:
        """Delete what was used longest ago, of any model, until there is room within the bound. False if there never will be."""
        states = _files(self._root, _SUFFIX)
        total_bytes = sum(status.st_size for status, _ in states) + needed_bytes
        for status, path in sorted(states, key=lambda state: state[0].st_mtime_ns):
            if total_bytes <= self._limit_bytes or needed_bytes > self._limit_bytes:
                break
            path.unlink(missing_ok=True)
            self._forget(path)
            total_bytes -= status.st_size
        return total_bytes <= self._limit_bytes

    def _read(self, kept: _Kept, salt: str) -> StoredPrefix | None:
        """What a file holds. A file that is gone or not whole is forgotten."""
        try:
            content = np.fromfile(kept.path, np.uint8)
            os.utime(kept.path)
        except OSError:
            self._forget(kept.path)
            return None
        body = content[:-_DIGEST_BYTES]
        header_end = (
            len(_MAGIC) + _HEADER_LENGTH.size + _header_length(bytes(body[: len(_MAGIC) + _HEADER_LENGTH.size]))
        )
        if hashlib.blake2b(body.data, digest_size=_DIGEST_BYTES).digest() != content[-_DIGEST_BYTES:].tobytes():
            _log.warning("the stored prefix %s is damaged", kept.path.name)
            kept.path.unlink(missing_ok=True)
            self._forget(kept.path)
            return None
        return StoredPrefix(salt, kept.tokens, body[header_end:])

    def _forget(self, path: Path) -> None:
        with self._lock:
            for bucket, each in list(self._kept.items()):
                rest = [kept for kept in each if kept.path != path]
                if len(rest) < len(each):
                    self._kept[bucket] = rest

    def _stop(self, error: OSError) -> None:
        """Whatever is wrong with the disk, requests go on without it; it is said once."""
        if not self._is_stopped:
            self._is_stopped = True
            _log.warning("computed prefixes are no longer kept in %s: %s", self._root, error)


def identity_of(model: Path, params: LoadParams) -> str:
    """What changes with all that a sequence's state depends on: files, llama.cpp, and how they are loaded."""
    parts = model.parent.glob(glob.escape(model.name).replace("-00001-of-", "-*-of-"))
    steering = [Path(path) for path, _ in params.steering.vectors]
    projector = [] if params.projector is None else [Path(params.projector)]
    files = [*sorted(parts), *(Path(file.path) for file in params.lora), *steering, *projector]
    states = [(str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    ctx_tokens = (params.ctx_size_tokens, params.least_ctx_tokens)
    pictures = (params.image_min_tokens, params.image_max_tokens)
    how = (params.placement, params.attention, params.rope, params.lora, params.steering, ctx_tokens, pictures)
    return hashlib.sha256(repr((library.version(), states, how)).encode()).hexdigest()


def _files(directory: Path, suffix: str) -> list[tuple[os.stat_result, Path]]:
    """All files of this suffix there and below; other workers delete some meanwhile. What else has such a name is none of ours."""
    found = []
    for path in directory.rglob(f"*{suffix}"):
        with suppress(FileNotFoundError):
            status = path.lstat()
            if stat.S_ISREG(status.st_mode):
                found.append((status, path))
    return found


def _read_header(path: Path) -> _Header | None:
    """What a file says it holds; None where it can't be read or says nothing of the kind."""
    try:
        with path.open("rb") as file:
            length = _header_length(file.read(len(_MAGIC) + _HEADER_LENGTH.size))
            return msgspec.msgpack.decode(file.read(length), type=_Header)
    except (OSError, ValueError):
        return None


def _header_length(beginning: bytes) -> int:
    if not beginning.startswith(_MAGIC) or len(beginning) < len(_MAGIC) + _HEADER_LENGTH.size:
        return 0
    return int(_HEADER_LENGTH.unpack(beginning[len(_MAGIC) :])[0])


def _hashed(salt: str) -> str:
    """Salts come from API keys: not even their digests are written down."""
    return hashlib.sha256(f"prefix {salt}".encode()).hexdigest()
