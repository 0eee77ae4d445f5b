"""Owns computed prefixes that left the KV cache: copies in the host's memory, bounded in bytes, the one used longest ago dropped first.

Knows what it would cost to bring one back, and whether that pays. Must not know slots or where the copies come from.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.activity import CacheActivity
from engine.worker.prefixes import MemoryKind, common_prefix_length

_log = logging.getLogger("worker")

State = NDArray[np.uint8]
"""What a sequence's memory holds, in llama.cpp's own form."""

Bucket = tuple[str, tuple[int, ...]]

LEAST_TOKENS = 64
"""Less is computed again before it is found again."""

_TOKEN_BYTES = 8
_ASSUMED_SECONDS_PER_BYTE = 1e-9
_ASSUMED_DISK_SECONDS_PER_BYTE = 5e-9
_WEIGHT_OF_NEWEST = 0.3


class StoredPrefix(msgspec.Struct, frozen=True, eq=False):
    """The state after `tokens`, for requests with this `salt`."""

    salt: str
    tokens: list[int]
    state: State

    @property
    def size_bytes(self) -> int:
        """What it takes of the host's memory."""
        return self.state.nbytes + _TOKEN_BYTES * len(self.tokens)

    @property
    def bucket(self) -> Bucket:
        """What all prefixes that one request could use have in common."""
        return bucket_of(self.salt, self.tokens)


class PrefixSink(Protocol):
    """Who else wants to have what is stored: see engine.worker.prefix_files."""

    def put(self, prefix: StoredPrefix) -> None:
        """Take a copy, some time."""


class PrefixStore:
    """Stored prefixes by what they begin with. Safe in any thread."""

    def __init__(
        self,
        limit_bytes: int,
        memory: MemoryKind,
        *,
        token_seconds: Callable[[], float | None],
        sink: PrefixSink | None = None,
    ) -> None:
        """`token_seconds`: what a token of a prompt takes to compute, as measured; None while nobody knows."""
        self.limit_bytes = limit_bytes
        self.size_bytes = 0
        self._hits = 0
        self._lookups = 0
        self._memory = memory
        self._token_seconds = token_seconds
        self._sink = sink
        self._byte_seconds = _ASSUMED_SECONDS_PER_BYTE
        self._disk_byte_seconds = _ASSUMED_DISK_SECONDS_PER_BYTE
        self._lock = threading.Lock()
        self._lru: dict[int, StoredPrefix] = {}
        self._buckets: dict[Bucket, list[StoredPrefix]] = {}

    def __repr__(self) -> str:
        return f"PrefixStore({len(self._lru)} in {self.size_bytes} of {self.limit_bytes} bytes)"

    def activity(self) -> CacheActivity:
        """How much is here, and how often that was of use."""
        return CacheActivity(
            name="prefix_memory",
            entries=len(self._lru),
            size_bytes=self.size_bytes,
            limit_bytes=self.limit_bytes,
            hits=self._hits,
            misses=self._lookups - self._hits,
        )

    def keep(self, salt: str, tokens: Sequence[int], state_bytes: int, save: Callable[[], State]) -> None:
        """Store what `save` returns as the state after `tokens`, unless that is too large, not worth it, or there already."""
        if state_bytes > self.limit_bytes or not self._is_cheaper(state_bytes * self._byte_seconds, len(tokens)):
            return
        if self._covers(salt, tokens):
            return
        try:
            prefix = StoredPrefix(salt, list(tokens), save())
        except MemoryError:
            _log.warning("no memory to keep a prefix of %d tokens in", len(tokens))
            return
        self.add(prefix)
        if self._sink is not None:
            self._sink.put(prefix)

    def add(self, prefix: StoredPrefix) -> None:
        """Store a prefix instead of those that are no longer needed beside it."""
        if prefix.size_bytes > self.limit_bytes:
            return
        with self._lock:
            for other in list(self._buckets.get(prefix.bucket, ())):
                if self._is_covered(other.tokens, prefix):
                    self._drop(other)
            while self.size_bytes + prefix.size_bytes > self.limit_bytes:
                self._drop(next(iter(self._lru.values())))
            self._lru[id(prefix)] = prefix
            self._buckets.setdefault(prefix.bucket, []).append(prefix)
            self.size_bytes += prefix.size_bytes

    def find(self, salt: str, tokens: Sequence[int], *, beyond: int) -> StoredPrefix | None:
        """The prefix with the most of `tokens`, where bringing it back is cheaper than to compute what it has `beyond` so many."""
        if len(tokens) - beyond <= LEAST_TOKENS:
            return None
        self._lookups += 1
        with self._lock:
            candidates = self._buckets.get(bucket_of(salt, tokens), ())
            best = max(candidates, key=lambda prefix: self.usable_tokens(prefix.tokens, tokens), default=None)
            if best is None:
                return None
            gained_tokens = self.usable_tokens(best.tokens, tokens) - beyond
            if not self._is_cheaper(best.state.nbytes * self._byte_seconds, gained_tokens):
                return None
            self._touch(best)
            return best

    def longest_common(self, salt: str, tokens: Sequence[int]) -> int:
        """How much of `tokens` any prefix here begins with, whether it could be continued from there or not."""
        with self._lock:
            candidates = self._buckets.get(bucket_of(salt, tokens), ())
            lengths = (common_prefix_length(prefix.tokens, tokens, at_most=len(tokens) - 1) for prefix in candidates)
            return max(lengths, default=0)

    def lacks(self, salt: str, tokens: Sequence[int], usable_tokens: int, size_bytes: int) -> bool:
        """Whether reading so many bytes pays for the `usable_tokens` of `tokens` that they have."""
        with self._lock:
            candidates = self._buckets.get(bucket_of(salt, tokens), ())
            here = max((self.usable_tokens(prefix.tokens, tokens) for prefix in candidates), default=0)
        return self._is_cheaper(size_bytes * (self._byte_seconds + self._disk_byte_seconds), usable_tokens - here)

    def was_read(self, prefix: StoredPrefix, seconds: float) -> None:
        """A prefix was read from a disk, and that took so long."""
        self._disk_byte_seconds += _WEIGHT_OF_NEWEST * (seconds / prefix.size_bytes - self._disk_byte_seconds)

    def restored(self, prefix: StoredPrefix, seconds: float) -> None:
        """A prefix was brought back, and that took so long."""
        self._hits += 1
        newest = seconds / prefix.state.nbytes
        self._byte_seconds += _WEIGHT_OF_NEWEST * (newest - self._byte_seconds)

    def usable_tokens(self, held: Sequence[int], tokens: Sequence[int]) -> int:
        """How many of `tokens` a sequence could begin with that has the state after `held`."""
        length = common_prefix_length(held, tokens, at_most=len(tokens) - 1)
        whole = len(held)
        if length == whole or not self._memory.window_tokens:
            return length if length == whole or self._memory.is_divisible else 0
        # Of a window's layers, only what the token behind the last looks at was saved.
        is_seen = whole <= self._memory.window_tokens or length == whole - 1
        return length if self._memory.is_divisible and is_seen else 0

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            for prefix in list(self._lru.values()):
                self._drop(prefix)

    def check_integrity(self) -> None:
        """Raise AssertionError unless what is counted is what is there."""
        with self._lock:
            listed = [prefix for bucket in self._buckets.values() for prefix in bucket]
            if {id(p) for p in listed} != set(self._lru) or len(listed) != len(self._lru):
                raise AssertionError(f"{self!r} lists {len(listed)} prefixes")
            if sum(prefix.size_bytes for prefix in listed) != self.size_bytes or self.size_bytes > self.limit_bytes:
                raise AssertionError(f"{self!r} counts wrong")

    def _covers(self, salt: str, tokens: Sequence[int]) -> bool:
        with self._lock:
            for prefix in self._buckets.get(bucket_of(salt, tokens), ()):
                if self._is_covered(tokens, prefix):
                    self._touch(prefix)
                    return True
        return False

    def _is_covered(self, tokens: Sequence[int], prefix: StoredPrefix) -> bool:
        """Whether a stored prefix does for all that the state after `tokens` could do."""
        if self._memory.is_divisible and not self._memory.window_tokens:
            return prefix.tokens[: len(tokens)] == list(tokens)
        return prefix.tokens == list(tokens)

    def _is_cheaper(self, seconds: float, gained_tokens: int) -> bool:
        """Whether to get so many tokens' state in so many seconds is quicker than to compute it."""
        token_seconds = self._token_seconds()
        return gained_tokens >= LEAST_TOKENS and (token_seconds is None or gained_tokens * token_seconds > seconds)

    def _touch(self, prefix: StoredPrefix) -> None:
        self._lru[id(prefix)] = self._lru.pop(id(prefix))

    def _drop(self, prefix: StoredPrefix) -> None:
        del self._lru[id(prefix)]
        self.size_bytes -= prefix.size_bytes
        rest = [other for other in self._buckets.pop(prefix.bucket) if other is not prefix]
        if rest:
            self._buckets[prefix.bucket] = rest


def bucket_of(salt: str, tokens: Sequence[int]) -> Bucket:
    """Prefixes are looked for only where so many first tokens are the same."""
    return salt, tuple(tokens[:LEAST_TOKENS])
