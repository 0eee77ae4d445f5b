"""Owns how much memory may still be taken, of the machine or a control group, and whether a KV cache fits. Must not know models."""

from collections.abc import Iterator
from pathlib import Path

import psutil

_GROUPS = Path("/proc/self/cgroup")
_MOUNT = Path("/sys/fs/cgroup")


def lacking_memory(tokens: int, cell_bytes: int, freed_bytes: int = 0) -> str | None:
    """Why there can't be a KV cache of so many cells once `freed_bytes` are given back; None where there can, or nobody knows.

    The cache alone: llama.cpp fills it with zeros when it is made. Of the buffers that it computes in, only what a step needs is ever
    touched and takes memory.
    """
    needed, available = tokens * cell_bytes, available_bytes() + freed_bytes
    if needed <= available:
        return None
    return (
        f"the KV cache of a context of {tokens} tokens takes {_said(needed)}, and {_said(available)} of memory are free"
    )


def available_bytes(groups: Path = _GROUPS, mount: Path = _MOUNT) -> int:
    """What can be had without another process losing any: what the machine has free, or what its control groups leave of it."""
    machine = psutil.virtual_memory().available + psutil.swap_memory().free
    return min([machine, *_left_by_groups(groups, mount)])


def own_bytes(pid: int) -> int:
    """What a process would give back: all it holds but what lies in files anyway. 0 where it has gone."""
    try:
        held = psutil.Process(pid).memory_info()
    except psutil.Error:
        return 0
    return max(0, held.rss - getattr(held, "shared", 0))


def _left_by_groups(groups: Path, mount: Path) -> Iterator[int]:
    """Of each control group with a limit that this process is in, versions 2 and 1. A group within a container is its mount's root."""
    try:
        lines = groups.read_text().splitlines()
    except OSError:
        return
    for _, controllers, path in (line.split(":", 2) for line in lines):
        if controllers == "":
            root, limit, usage = mount, "memory.max", "memory.current"
        elif "memory" in controllers.split(","):
            root, limit, usage = mount / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
        else:
            continue
        group = root / path.strip("/")
        for folder in (group, *group.parents):
            if folder.is_relative_to(root) and (left := _left(folder, limit, usage)) is not None:
                yield left


def _left(folder: Path, limit: str, usage: str) -> int | None:
    """What a group may still take; None where it has no limit. What it has of files in memory is given up when it is needed."""
    try:
        words = (line.split() for line in (folder / "memory.stat").read_text().splitlines())
        held = {name: int(count) for name, count in words}
        cached = sum(held.get(f"total_{name}", held.get(name, 0)) for name in ("active_file", "inactive_file"))
        return max(0, int((folder / limit).read_text()) - int((folder / usage).read_text()) + cached)
    except (OSError, ValueError):  # "max" is no number
        return None


def _said(size_bytes: int) -> str:
    return f"{size_bytes / 2**30:,.1f} GiB"
