"""SHA-256 digests of model files, each computed once for as long as the file stays the same.

Owns the cache. Must not know who asks. Hashing a large model takes seconds, so it runs in a thread and is shared.
"""

import asyncio
import hashlib

from engine.errors import EngineError
from engine.host.catalog import ModelEntry


class Digests:
    """Hex digests by entry."""

    def __init__(self) -> None:
        self._tasks: dict[str, tuple[ModelEntry, asyncio.Task[str]]] = {}

    async def digest(self, entry: ModelEntry) -> str:
        """The SHA-256 of the entry's files, one after the other. Raises EngineError if they cannot be read."""
        known, task = self._tasks.get(entry.name, (None, None))
        if task is None or known != entry or (task.done() and task.exception() is not None):
            task = asyncio.create_task(asyncio.to_thread(_digest, entry), name=f"digest of {entry.name}")
            self._tasks[entry.name] = (entry, task)
        try:
            return await asyncio.shield(task)
        except OSError as error:
            raise EngineError("internal", f"the file of model {entry.name!r} cannot be read") from error


def _digest(entry: ModelEntry) -> str:
    digest = hashlib.sha256()
    for path in entry.paths:
        with path.open("rb", buffering=0) as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
