"""Owns the life of one C object: it is freed once, by whoever closes it first. Must not know what the object is."""

from collections.abc import Callable
from typing import Any, Self


class Resource:
    """A C pointer with its destructor. A context manager; `close()` frees it and may be called again."""

    def __init__(self, handle: Any, free: Callable[[Any], None]) -> None:
        self._handle = handle
        self._free = free

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the object. What was made from it must be closed before."""
        handle, self._handle = self._handle, None
        if handle:
            self._free(handle)

    @property
    def handle(self) -> Any:
        """The C pointer, for this package's own modules."""
        return self._handle
