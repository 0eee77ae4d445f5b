"""Owns the picture of a generator at work that the host is given, taken by any thread while another computes.

Reads what changes under its eyes: lists are copied before they are looked at, and a number may be a step old. Must not change anything.
"""

import itertools
from collections.abc import Iterable
from typing import Protocol

from engine.activity import CacheActivity, SlotActivity, TokenCounts, WorkerActivity
from engine.worker.prefixes import common_prefix_length
from engine.worker.scheduler import Scheduler
from engine.worker.sequence import Sequence
from engine.worker.slots import Slot, Slots
from engine.worker.speculation import Speculation
from engine.worker.tally import Tally


class Cache(Protocol):
    """What keeps computed state."""

    def activity(self) -> CacheActivity:
        """How much it holds, and how often that was of use; for any thread."""


class Observer:
    """Describes the work of one generator, whose KV cache has `capacity_tokens` cells."""

    def __init__(
        self,
        slots: Slots,
        scheduler: Scheduler,
        speculation: Speculation,
        tally: Tally,
        caches: Iterable[Cache],
        *,
        capacity_tokens: int,
    ) -> None:
        self._slots = slots
        self._scheduler = scheduler
        self._speculation = speculation
        self._tally = tally
        self._caches = tuple(caches)
        self._capacity_tokens = capacity_tokens

    def activity(self) -> WorkerActivity:
        """What is going on now."""
        running = list(self._scheduler.running)
        owners = {sequence.slot.number: sequence for sequence in running if sequence.slot is not None}
        return WorkerActivity(
            running=len(running),
            waiting=len(self._scheduler.waiting),
            preemptions=self._scheduler.preemptions,
            kv_tokens=distinct_tokens((slot.salt, list(slot.tokens)) for slot in self._slots),
            kv_capacity_tokens=self._capacity_tokens,
            slots=tuple(_slot_activity(slot, owners.get(slot.number)) for slot in self._slots),
            caches=tuple(cache.activity() for cache in self._caches),
            tokens=self._token_counts(),
            step_seconds=self._tally.step_seconds,
            step_tokens=self._tally.step_tokens,
            step_age_seconds=self._tally.step_age_seconds,
        )

    def _token_counts(self) -> TokenCounts:
        return TokenCounts(
            prompt=self._tally.prompt_tokens,
            cached=self._scheduler.cached_tokens,
            completion=self._tally.completion_tokens,
            drafted=self._speculation.drafted_tokens,
            accepted=self._speculation.accepted_tokens,
        )


def distinct_tokens(held: Iterable[tuple[str, list[int]]]) -> int:
    """How many tokens several (salt, tokens) hold, those of a common beginning counted once, as they lie in the cache."""
    ordered = sorted(held)
    total = sum(len(tokens) for _, tokens in ordered)
    shared = (
        common_prefix_length(tokens, before) if salt == salt_before else 0
        for (salt_before, before), (salt, tokens) in itertools.pairwise(ordered)
    )
    return total - sum(shared)


def _slot_activity(slot: Slot, owner: Sequence | None) -> SlotActivity:
    held = len(slot.tokens)
    if owner is None:
        return SlotActivity(number=slot.number, state="cached" if held else "empty", tokens=held)
    return SlotActivity(
        number=slot.number,
        state="answer" if owner.completion_tokens or held >= len(owner.job.prompt_tokens) else "prompt",
        tokens=held,
        request=owner.job.id,
        index=owner.index,
        prompt_tokens=len(owner.job.prompt_tokens),
        completion_tokens=owner.completion_tokens,
    )
