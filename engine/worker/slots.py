"""Owns which place in the KV cache holds which tokens, and who may reuse them.

Decides; the KV cells obey through `KvCells`, so all of this is tested without a model. Must not know requests or samplers.
"""

import itertools
from collections.abc import Sequence
from typing import Protocol


class KvCells(Protocol):
    """What a KV cache can be told: see engine.llama.context.Context."""

    def keep_prefix(self, sequence: int, length: int) -> bool:
        """Forget what lies behind a prefix; False where only all of it can be forgotten."""

    def copy_prefix(self, source: int, target: int, length: int) -> None:
        """Let an empty sequence share another's prefix."""

    def length(self, sequence: int) -> int:
        """Number of positions held."""


class Slot:
    """A place for one sequence: `tokens` are those whose state is computed. `is_busy` while a sequence owns it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.tokens: list[int] = []
        self.is_busy = False
        self.last_used = 0

    def __repr__(self) -> str:
        return f"{self.number}{'*' if self.is_busy else ''}:{len(self.tokens)}"


class Slots:
    """All slots of a context. `shares_prefixes` is False for memories from which no part can be removed or copied."""

    def __init__(self, cells: KvCells, count: int, *, shares_prefixes: bool) -> None:
        self._cells = cells
        self._slots = [Slot(number) for number in range(count)]
        self.shares_prefixes = shares_prefixes
        self._clock = itertools.count(1)

    def __repr__(self) -> str:
        return f"Slots({' '.join(map(repr, self._slots))})"

    @property
    def has_idle(self) -> bool:
        """Whether a sequence could get a slot."""
        return any(not slot.is_busy for slot in self._slots)

    def cached_prefix_length(self, tokens: Sequence[int]) -> int:
        """How many of `tokens` would not have to be computed if a slot was acquired now."""
        source = self._best_source(tokens)
        return _reusable(source.tokens, tokens) if source else 0

    def acquire(self, tokens: Sequence[int], *, reuse: bool = True) -> Slot | None:
        """A slot that already holds as much of `tokens` as any does, all but the last at most; None if all are busy.

        Its `tokens` say how many that are. The state of other sequences is never changed, only shared.
        """
        if not self.has_idle:
            return None
        source = self._best_source(tokens) if reuse else None
        slot = source if source and self._is_worth_taking(source, tokens) else self._least_useful_idle(source)
        length = _reusable(source.tokens, tokens) if source else 0
        if slot is source:
            self._truncate(slot, length)
        else:
            self._truncate(slot, 0)
            if source and length:
                self._cells.copy_prefix(source.number, slot.number, length)
                slot.tokens = list(tokens[:length])
        slot.is_busy = True
        return slot

    def advance(self, slot: Slot, tokens: Sequence[int]) -> None:
        """Note that `tokens` are computed behind those the slot already held."""
        slot.tokens.extend(tokens)

    def truncate(self, slot: Slot, length: int) -> None:
        """Forget what is computed behind a prefix: the draft that was wrong."""
        self._truncate(slot, length)

    def release(self, slot: Slot) -> None:
        """The sequence has gone; its state stays for whoever continues it."""
        slot.is_busy = False
        slot.last_used = next(self._clock)

    def clear(self, slot: Slot) -> None:
        """Forget the state of a slot."""
        self._truncate(slot, 0)

    def clear_all(self) -> None:
        """Forget the state of every slot."""
        for slot in self._slots:
            # Also where no token is noted: a step that failed may have left cells.
            self._cells.keep_prefix(slot.number, 0)
            slot.tokens.clear()

    def evict_idle(self) -> bool:
        """Forget the idle state that was used longest ago. False if there is none."""
        idle = [slot for slot in self._slots if not slot.is_busy and slot.tokens]
        if not idle:
            return False
        self._truncate(min(idle, key=lambda slot: slot.last_used), 0)
        return True

    def check_integrity(self) -> None:
        """Raise AssertionError unless the slots agree with the KV cells."""
        for slot in self._slots:
            held = self._cells.length(slot.number)
            if held != len(slot.tokens):
                raise AssertionError(f"slot {slot!r} has {held} KV positions")

    def _best_source(self, tokens: Sequence[int]) -> Slot | None:
        """The slot with the longest reusable prefix; at equal length an idle one, which needs no copy."""
        candidates = [s for s in self._slots if s.tokens and (self.shares_prefixes or self._continues(s, tokens))]
        best = max(candidates, key=lambda s: (_reusable(s.tokens, tokens), not s.is_busy), default=None)
        return best if best and _reusable(best.tokens, tokens) else None

    @staticmethod
    def _continues(slot: Slot, tokens: Sequence[int]) -> bool:
        """Whether all that an idle slot holds is a prefix of `tokens`: then nothing has to be removed."""
        return not slot.is_busy and _reusable(slot.tokens, tokens) == len(slot.tokens)

    def _is_worth_taking(self, source: Slot, tokens: Sequence[int]) -> bool:
        """Whether to continue in the source itself: it is idle and most of it is wanted, or there is no other idle slot."""
        if source.is_busy:
            return False
        if not self.shares_prefixes or 2 * _reusable(source.tokens, tokens) >= len(source.tokens):
            return True
        return not any(slot is not source and not slot.is_busy for slot in self._slots)

    def _least_useful_idle(self, but: Slot | None) -> Slot:
        """An empty idle slot, or the one used longest ago."""
        idle = [slot for slot in self._slots if not slot.is_busy and slot is not but]
        return min(idle, key=lambda slot: (bool(slot.tokens), slot.last_used))

    def _truncate(self, slot: Slot, length: int) -> None:
        if length == len(slot.tokens):
            return
        if not self._cells.keep_prefix(slot.number, length):
            self._cells.keep_prefix(slot.number, 0)
            length = 0
        del slot.tokens[length:]


def _reusable(held: Sequence[int], tokens: Sequence[int]) -> int:
    """Length of the common prefix, at most all of `tokens` but the last, whose computing gives the logits."""
    return common_prefix_length(held, tokens, at_most=len(tokens) - 1)


def common_prefix_length(a: Sequence[int], b: Sequence[int], *, at_most: int | None = None) -> int:
    """How many leading elements are equal. Halves the range with slice comparisons, which run in C."""
    high = min(len(a), len(b)) if at_most is None else min(len(a), len(b), at_most)
    low = 0
    if a[:high] == b[:high]:
        return max(high, 0)
    while high - low > 1:
        middle = (low + high) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle
    return low
