"""Owns how many bytes of requests may wait at once, for a model to load and in the models for a free place.

Must not know who waits, nor for what.
"""


class Backlog:
    """At most `limit_bytes` wait, but whoever is alone always may."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._held_bytes = 0

    def __repr__(self) -> str:
        return f"<Backlog {self._held_bytes} of {self._limit_bytes} bytes>"

    @property
    def held_bytes(self) -> int:
        """What waits now."""
        return self._held_bytes

    def hold(self, size_bytes: int) -> "Held | None":
        """So much more waits, until it is released. None: it would be too much."""
        if self._held_bytes and self._held_bytes + size_bytes > self._limit_bytes:
            return None
        self._held_bytes += size_bytes
        return Held(self, size_bytes)

    def release(self, size_bytes: int) -> None:
        """So much waits no more."""
        self._held_bytes -= size_bytes


class Held:
    """A waiting request's part of the backlog."""

    def __init__(self, backlog: Backlog, size_bytes: int) -> None:
        self._backlog = backlog
        self._size_bytes = size_bytes

    def release(self) -> None:
        """It waits no more. Idempotent."""
        self._backlog.release(self._size_bytes)
        self._size_bytes = 0
