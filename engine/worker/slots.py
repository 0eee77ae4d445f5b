"""Owns which place in the KV cache holds which tokens, and who may reuse them.

Decides; the KV cells obey through `KvCells`, so all of this is tested without a model. Must not know requests or samplers.
"""

import itertools
import time
from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.worker.prefix_store import PrefixStore
from engine.worker.prefixes import PLAIN_MEMORY, MemoryKind, common_prefix_length

# State of less than this costs more to keep than to compute again.
_WORTH_KEEPING_TOKENS = 32
# Attention looks at every cell in use, whoever's it is: on a processor 2,752 idle ones made steps of eight answers a fifth longer.
_IDLE_TOKENS = 512
# With more cells in use than these, and the answer's to come, llama.cpp's attention of a single row takes a slower way.
_FAST_CELLS = 256


class KvCells(Protocol):
    """What a KV cache can be told: see engine.llama.context.Context."""

    def keep_prefix(self, sequence: int, length: int) -> bool:
        """Forget what lies behind a prefix; False where only all of it can be forgotten."""

    def copy_prefix(self, source: int, target: int, length: int) -> None:
        """Let an empty sequence share another's prefix: all of it, where a memory can't be cut."""

    def length(self, sequence: int) -> int:
        """Number of positions held."""

    def first_position(self, sequence: int) -> int:
        """The first position of which everything is still there."""

    def saved_bytes(self, sequence: int) -> int:
        """How much `save` gives."""

    def save(self, sequence: int) -> NDArray[np.uint8]:
        """A copy of all that is held of a sequence."""

    def restore(self, sequence: int, state: NDArray[np.uint8]) -> bool:
        """Let an empty sequence hold what was saved. False where there is no room: then it holds nothing."""

    @property
    def capacity(self) -> int:
        """Number of positions that all sequences together may hold."""


class Slot:
    """A place for one sequence: `tokens` are those whose state is computed. `is_busy` while a sequence owns it.

    Only sequences with the same `salt` may share its state. `stops`: the lengths, in rising order, at which it is worth keeping;
    `is_kept`: it was, and here it is. `turn`: the last length at which a next turn may part from it; 0 where unknown.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.tokens: list[int] = []
        self.salt = ""
        self.stops: list[int] = []
        self.turn = 0
        self.is_busy = False
        self.is_kept = False
        self.last_used = 0

    def __repr__(self) -> str:
        return f"{self.number}{'*' if self.is_busy else ''}:{len(self.tokens)}"

    def reach(self, count: int) -> int:
        """How many of `count` further tokens may be computed before its state is to be kept."""
        return min(count, self.stops[0] - len(self.tokens)) if self.stops else count


class Slots:
    """All slots of a context: at most `count` are busy at once, and `spare` more keep state that is worth it.

    Where a memory is not divisible, a prefix can only be shared if its state was kept at just that length: a slot then stops at
    such lengths, and an idle slot takes a copy, which in the KV cache is a note beside the same cells.
    """

    def __init__(
        self,
        cells: KvCells,
        count: int,
        *,
        spare: int = 0,
        memory: MemoryKind = PLAIN_MEMORY,
        store: PrefixStore | None = None,
    ) -> None:
        """`store` takes what has to go from here, and is asked for it when it is wanted again."""
        self._cells = cells
        self._store = store
        self._slots = [Slot(number) for number in range(count + spare)]
        self._count = count
        self._memory = memory
        self._clock = itertools.count(1)

    def __repr__(self) -> str:
        return f"Slots({' '.join(map(repr, self._slots))})"

    def __iter__(self) -> Iterator[Slot]:
        """All slots, by number."""
        return iter(self._slots)

    @property
    def has_idle(self) -> bool:
        """Whether a sequence could get a slot."""
        return sum(slot.is_busy for slot in self._slots) < self._count

    def cached_prefix_length(self, tokens: Sequence[int], *, salt: str = "") -> int:
        """How many of `tokens` would not have to be computed if a slot was acquired now."""
        return self._best_source(tokens, salt)[1]

    def acquire(
        self, tokens: Sequence[int], *, salt: str = "", reuse: bool = True, stops: Collection[int] = ()
    ) -> Slot | None:
        """A slot that already holds as much of `tokens` as any does, all but the last at most; None if all are busy.

        Its `tokens` say how many that are. The state of other sequences is never changed, only shared. `stops`: lengths of
        which the state is worth keeping, where the memory does not keep it anyway.
        """
        if not self.has_idle:
            return None
        shared = self._longest_common(tokens, salt) if reuse else 0
        if reuse:
            self._bring_back(tokens, salt)
        if not any(slot.is_busy for slot in self._slots) and self._begins_afresh(tokens, salt, reuse):
            self._empty()
        source, length = self._best_source(tokens, salt) if reuse else (None, 0)
        slot = source if source and self._is_worth_taking(source, length) else self._vacated(source)
        if source is not None and slot is not source:
            self._copy(source, slot, length)
        self._truncate(slot, length)
        slot.is_busy, slot.is_kept, slot.salt, slot.turn = True, False, salt, max(stops, default=0)
        slot.stops = sorted(stop for stop in {*stops, shared} if self._is_worth_a_stop(stop, slot, tokens))
        return slot

    def advance(self, slot: Slot, tokens: Sequence[int]) -> None:
        """Note that `tokens` are computed behind those the slot already held."""
        slot.tokens.extend(tokens)
        while slot.stops and slot.stops[0] <= len(slot.tokens):
            if slot.stops.pop(0) == len(slot.tokens):
                self._keep(slot)

    def expect(self, slot: Slot, length: int) -> bool:
        """Whether a sequence may wait for a busy slot to reach `length`, to share what it holds then."""
        if self._memory.is_divisible:
            return True
        if len(slot.tokens) < length:
            slot.stops = sorted({*slot.stops, length})
        return len(slot.tokens) <= length

    def truncate(self, slot: Slot, length: int) -> None:
        """Forget what is computed behind a prefix: the draft that was wrong."""
        self._truncate(slot, length)

    def drop_uncounted(self, slot: Slot) -> None:
        """Forget what is computed behind the tokens that are noted: a part of a picture. Where only all can be forgotten, all is."""
        if not self._cells.keep_prefix(slot.number, len(slot.tokens)):
            self._cells.keep_prefix(slot.number, 0)
            slot.tokens.clear()

    def release(self, slot: Slot) -> None:
        """The sequence has gone; its state stays for whoever continues it."""
        slot.is_busy = False
        slot.stops = []
        self._touch(slot)
        self._thin_out()

    def clear(self, slot: Slot) -> None:
        """Take the state of a slot from the KV cache."""
        self._evict(slot)

    def forget_idle(self) -> None:
        """Forget the state that no sequence owns, wherever it is."""
        for slot in self._slots:
            if not slot.is_busy:
                self._truncate(slot, 0)
        if self._store is not None:
            self._store.clear()

    def clear_all(self) -> None:
        """Forget the state of every slot."""
        for slot in self._slots:
            # Also where no token is noted: a step that failed may have left cells.
            self._cells.keep_prefix(slot.number, 0)
            slot.tokens.clear()

    def evict_idle(self) -> bool:
        """Take the idle state that was used longest ago from the KV cache. False if there is none."""
        idle = [slot for slot in self._slots if not slot.is_busy and slot.tokens]
        if not idle:
            return False
        self._evict(min(idle, key=lambda slot: slot.last_used))
        return True

    def check_integrity(self) -> None:
        """Raise AssertionError unless the slots agree with the KV cells."""
        for slot in self._slots:
            held = self._cells.length(slot.number)
            # A picture's positions may be more than those of its vectors: what is behind its last shows where it ends.
            if held != len(slot.tokens) and not (slot.tokens and slot.tokens[-1] < 0 and held < len(slot.tokens)):
                raise AssertionError(f"slot {slot!r} has {held} KV positions")
        if self._store is not None:
            self._store.check_integrity()

    def _thin_out(self) -> None:
        """Move idle state that only makes attention slow to where it is cheap to keep, but never what was used last."""
        idle = [slot for slot in self._slots if not slot.is_busy and slot.tokens]
        idle.sort(key=lambda slot: slot.last_used)
        held = sum(len(slot.tokens) for slot in idle)
        for slot in idle[:-1] if self._store is not None else ():
            if held <= _IDLE_TOKENS:
                return
            held -= len(slot.tokens)
            self._evict(slot)

    def _begins_afresh(self, tokens: Sequence[int], salt: str, reuse: bool) -> bool:
        """Whether a sequence that runs alone makes no use of what is here, which would only make its steps slow."""
        if not reuse:
            return True
        if self._store is None or self._positions() + len(tokens) <= _FAST_CELLS:
            return False
        return self.cached_prefix_length(tokens, salt=salt) < min(_WORTH_KEEPING_TOKENS, len(tokens) // 2)

    def _empty(self) -> None:
        """Take all state from the KV cache. In which cells a sequence lies changes its last bits; now they will be the first."""
        while self.evict_idle():
            pass

    def _bring_back(self, tokens: Sequence[int], salt: str) -> None:
        """Let an idle slot hold the stored prefix that is the most use, where that is cheaper than to compute it."""
        if self._store is None:
            return
        prefix = self._store.find(salt, tokens, beyond=self.cached_prefix_length(tokens, salt=salt))
        if prefix is None or self._positions(busy=True) + len(prefix.tokens) > self._cells.capacity:
            return
        place = self._vacated(None)
        while self._positions() + len(prefix.tokens) > self._cells.capacity:
            self.evict_idle()
        started = time.perf_counter()
        if self._cells.restore(place.number, prefix.state):
            self._store.restored(prefix, time.perf_counter() - started)
            place.tokens, place.salt, place.turn = list(prefix.tokens), salt, 0
            self._touch(place)

    def _positions(self, *, busy: bool = False) -> int:
        """Positions held, at most: those that several slots share are counted for each. `busy`: by busy slots."""
        return sum(len(slot.tokens) for slot in self._slots if slot.is_busy or not busy)

    def _evict(self, slot: Slot) -> None:
        """Empty a slot, but keep its state elsewhere if nobody here has it.

        Of a window, what is saved can only be continued from its end: for an idle slot, that is where the next turn begins.
        """
        parts = self._memory.window_tokens and not slot.is_busy and 0 < slot.turn < len(slot.tokens)
        if parts and self._has_state_at(slot, slot.turn):
            self._truncate(slot, slot.turn)
        if self._store is not None and slot.tokens and not self._is_covered(slot):
            number = slot.number
            self._store.keep(slot.salt, slot.tokens, self._cells.saved_bytes(number), lambda: self._cells.save(number))
        self._truncate(slot, 0)

    def _is_covered(self, slot: Slot) -> bool:
        """Whether another slot does for all that the state of this one could do."""
        others = [s for s in self._slots if s is not slot and s.salt == slot.salt]
        if self._memory.is_divisible and not self._memory.window_tokens:
            return any(other.tokens[: len(slot.tokens)] == slot.tokens for other in others)
        return any(other.tokens == slot.tokens for other in others)

    def _best_source(self, tokens: Sequence[int], salt: str) -> tuple[Slot | None, int]:
        """The slot with the longest reusable prefix, and its length; at equal length an idle one, which needs no copy."""
        candidates = ((self._reusable(s, tokens), not s.is_busy, s) for s in self._slots if s.tokens and s.salt == salt)
        length, _, slot = max(candidates, key=lambda candidate: candidate[:2], default=(0, False, None))
        return (slot, length) if length else (None, 0)

    def _reusable(self, slot: Slot, tokens: Sequence[int]) -> int:
        """How much of what a slot holds a sequence of `tokens` could begin with."""
        length = _wanted(slot.tokens, tokens)
        return length if self._has_state_at(slot, length) else 0

    def _has_state_at(self, slot: Slot, length: int) -> bool:
        """Whether a slot could go on from `length`, which is at most what it holds."""
        if length == len(slot.tokens):
            return True
        if self._memory.is_divisible and self._memory.window_tokens:
            return self._cells.first_position(slot.number) <= max(0, length - self._memory.window_tokens + 1)
        return self._memory.is_divisible

    def _longest_common(self, tokens: Sequence[int], salt: str) -> int:
        """How much of `tokens` anything here begins with, reusable or not: who comes third will begin with it too."""
        if self._memory.is_divisible:
            return 0
        here = max((_wanted(slot.tokens, tokens) for slot in self._slots if slot.salt == salt), default=0)
        return max(here, self._store.longest_common(salt, tokens) if self._store is not None else 0)

    def _is_worth_a_stop(self, length: int, slot: Slot, tokens: Sequence[int]) -> bool:
        if self._memory.is_divisible:
            return False
        return len(slot.tokens) + _WORTH_KEEPING_TOKENS <= length < len(tokens)

    def _is_worth_taking(self, source: Slot, length: int) -> bool:
        """Whether to continue in the source itself: it is idle, nobody else is likely to want it, or there is no other idle slot."""
        if source.is_busy:
            return False
        if 2 * length >= len(source.tokens) and not source.is_kept:
            return True
        return not any(slot is not source and not slot.is_busy for slot in self._slots)

    def _keep(self, slot: Slot) -> None:
        """Let an idle slot share what a busy one holds now."""
        known = next(
            (s for s in self._slots if s is not slot and s.salt == slot.salt and s.tokens == slot.tokens), None
        )
        if known is not None:
            self._touch(known)
        elif any(not other.is_busy for other in self._slots):
            place = self._vacated(None)
            self._copy(slot, place, len(slot.tokens))
            place.is_kept, place.salt, place.turn = True, slot.salt, 0
            self._touch(place)

    def _vacated(self, but: Slot | None) -> Slot:
        """An empty idle slot, or the one used longest ago, emptied."""
        idle = [slot for slot in self._slots if not slot.is_busy and slot is not but]
        slot = min(idle, key=lambda slot: (bool(slot.tokens), slot.last_used))
        self._evict(slot)
        slot.is_kept = False
        return slot

    def _copy(self, source: Slot, target: Slot, length: int) -> None:
        self._cells.copy_prefix(source.number, target.number, length)
        target.tokens = source.tokens[:length]
        self._touch(source)

    def _touch(self, slot: Slot) -> None:
        slot.last_used = next(self._clock)

    def _truncate(self, slot: Slot, length: int) -> None:
        if length == len(slot.tokens):
            return
        if not self._has_state_at(slot, length):
            length = 0
        if not self._cells.keep_prefix(slot.number, length):
            raise AssertionError(f"slot {slot!r} can't be cut back to {length} tokens")
        del slot.tokens[length:]


def _wanted(held: Sequence[int], tokens: Sequence[int]) -> int:
    """Length of the common prefix, at most all of `tokens` but the last, whose computing gives the logits."""
    return common_prefix_length(held, tokens, at_most=len(tokens) - 1)
