"""What a server's processes hold: memory, descriptors, threads, slots. And whether they still hold about as much later.

Must not know what the server did in between.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psutil

PREFIX_CACHE_MIB = 16

_MEMORY_GROWTH = 0.10
_MODELS = 2
_MEMORY_SLACK_BYTES = _MODELS * PREFIX_CACHE_MIB * 2**20 + 16_000_000
_POOLED_THREADS = 4
"""A pool starts a thread when it first needs one more: both workers' pools for preparing requests, and the server's own, may do so late.
A leak would be one of thousands."""


@dataclass(frozen=True)
class Census:
    """One look. `memory_bytes`: what the processes have for themselves; pages of files count for nobody."""

    processes: frozenset[int]
    memory_bytes: int
    descriptors: int
    threads: int

    def losses(self, later: "Census") -> list[str]:
        """What is not as it was, one sentence each. Caches fill up to their
        bound, allocators keep some memory (that much, and a tenth, are no loss), and pools of threads fill up."""
        losses = []
        if later.processes != self.processes:
            losses.append(f"the processes were {sorted(self.processes)} and are {sorted(later.processes)}")
        if later.memory_bytes > self.memory_bytes * (1 + _MEMORY_GROWTH) + _MEMORY_SLACK_BYTES:
            losses.append(f"memory grew from {self.memory_bytes / 1e6:.1f} MB to {later.memory_bytes / 1e6:.1f} MB")
        if later.descriptors > self.descriptors:
            losses.append(f"{self.descriptors} descriptors were open, now {later.descriptors} are")
        if later.threads > self.threads + _POOLED_THREADS:
            losses.append(f"there were {self.threads} threads, now there are {later.threads}")
        return losses


def unfinished(models: Sequence[Mapping[str, Any]]) -> list[str]:
    """What an idle server still believes to be doing, one sentence each. `models`: what `/v1/slots` says of them."""
    if not models:
        return ["the server tells of no model that was used"]
    return [fault for model in models for fault in _unfinished_of(model)]


def _unfinished_of(model: Mapping[str, Any]) -> Iterator[str]:
    name = model["model"]
    for count in ("open_requests", "awaiting_load", "running", "waiting"):
        if model.get(count):
            yield f"{name}: {model[count]} {count} in an idle server"
    held = [slot["tokens"] for slot in model["slots"]]
    busy = [slot for slot in model["slots"] if slot["state"] not in ("empty", "cached")]
    if busy:
        yield f"{name}: slots at work in an idle server: {busy}"
    if held and not max(held) <= model["kv_tokens"] <= sum(held):
        yield f"{name}: the KV cache holds {model['kv_tokens']} tokens, the slots know of {held}"


def census(root_pid: int) -> Census:
    """A look at a process and everything below it."""
    root = psutil.Process(root_pid)
    processes = [root, *root.children(recursive=True)]
    return Census(
        frozenset(process.pid for process in processes),
        sum(process.memory_full_info().uss for process in processes),
        sum(process.num_fds() for process in processes),
        sum(process.num_threads() for process in processes),
    )
