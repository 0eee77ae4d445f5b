"""SHA-256 digests of model files, each computed once for as long as the file stays the same.

Owns the cache, in memory and over restarts. Must not know who asks. Hashing a large model takes seconds, so it runs in a thread and
is shared.
"""

import asyncio
import hashlib
import logging
import os
from pathlib import Path

from engine.errors import EngineError
from engine.host.catalog import ModelEntry

logger = logging.getLogger(__name__)


class Digests:
    """Hex digests by entry; `directory` keeps them over restarts, unless it is None."""

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory
        self._tasks: dict[str, tuple[ModelEntry, asyncio.Task[str]]] = {}

    async def digest(self, entry: ModelEntry) -> str:
        """The SHA-256 of the entry's files, one after the other. Raises EngineError if they cannot be read."""
        known, task = self._tasks.get(entry.name, (None, None))
        if task is None or known != entry or (task.done() and task.exception() is not None):
            task = asyncio.create_task(asyncio.to_thread(self._remembered, entry), name=f"digest of {entry.name}")
            self._tasks[entry.name] = (entry, task)
        try:
            return await asyncio.shield(task)
        except OSError as error:
            raise EngineError("internal", f"the file of model {entry.name!r} cannot be read") from error

    def _remembered(self, entry: ModelEntry) -> str:
        """The kept digest, or a new one, which is then kept where that is possible."""
        if self._directory is None:
            return _digest(entry)
        kept = self._directory / _identity(entry)
        try:
            return kept.read_text()
        except OSError:
            digest = _digest(entry)
        try:
            _write_whole(kept, digest)
        except OSError as error:
            logger.debug("the digest of %s can't be kept: %s", entry.name, error)
        return digest


def _identity(entry: ModelEntry) -> str:
    """What changes when one of the entry's files does, as a file name."""
    states = [(str(path), status.st_size, status.st_mtime_ns) for path in entry.paths for status in [path.stat()]]
    return hashlib.sha256(repr(states).encode()).hexdigest()


def _write_whole(path: Path, text: str) -> None:
    """Write a file that is never seen in part, whoever else writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}")
    part.write_text(text)
    part.replace(path)


def _digest(entry: ModelEntry) -> str:
    digest = hashlib.sha256()
    for path in entry.paths:
        with path.open("rb", buffering=0) as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
