"""Puts a model of a hub into a directory: whole, checked, and all of its files or none.

A file that is on its way has a name of its own that no server takes for a model, and stays there when the download breaks off, so that
the next one goes on with it. Must not know the command line.
"""

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engine import CatalogError, ModelEntry, projector_name, read_model
from handlers.downloads import hub
from handlers.downloads.choice import Choice, Wish, choose
from handlers.downloads.repository import DownloadError, Repository, RepositoryFile


@dataclass(frozen=True, slots=True)
class Placed:
    """A file and where it goes."""

    file: RepositoryFile
    target: Path

    @property
    def unfinished(self) -> Path:
        """Where it grows: another content has another name."""
        return self.target.with_name(f"{self.target.name}.{self.file.digest[:12]}.part")


@dataclass(frozen=True, slots=True)
class Download:
    """What is to be done. `placed`: the model's first file comes last, so that it is never seen without the others; `pending`: those
    that are not there already."""

    repository: Repository
    choice: Choice
    placed: tuple[Placed, ...]
    pending: tuple[Placed, ...]

    @property
    def model(self) -> Path:
        """The file that is to be served."""
        return self.placed[-1].target

    @property
    def projector(self) -> Path | None:
        """What comes beside it."""
        return self.placed[0].target if self.choice.projector else None

    @property
    def size_bytes(self) -> int:
        """Of all its files."""
        return sum(placed.file.size_bytes for placed in self.placed)


def plan_download(wish: Wish, directory: Path) -> Download:
    """What is to be fetched into a directory, which is made if need be. Raises DownloadError, also where something is in the way."""
    repository = hub.look_up(wish.repository, wish.revision)
    choice = choose(repository, wish, lambda: hub.architecture_of(repository))
    with _of_the_disk(directory):
        directory.mkdir(parents=True, exist_ok=True)
        placed = tuple(_placed(choice, directory))
        pending = tuple(each for each in placed if not _is_there(each))
        _require_room(pending, directory)
    return Download(repository, choice, placed, pending)


def run_download(download: Download) -> ModelEntry:
    """Do it: the new model. Raises DownloadError; what has come by then is kept, and the next download goes on with it."""
    for placed in download.pending:
        with _of_the_disk(placed.target):
            _fetch(download.repository, placed)
    for placed in download.pending:
        with _of_the_disk(placed.target):
            placed.unfinished.rename(placed.target)
    try:
        return read_model(download.model)
    except CatalogError as error:
        raise DownloadError(f"it came whole, but is no model for this server: {error}") from None


def _placed(choice: Choice, directory: Path) -> Iterator[Placed]:
    first, *others = choice.model.files
    if choice.projector is not None:
        name = projector_name(Path(first.name), Path(choice.projector.name))
        yield Placed(choice.projector, directory / name)
    for file in (*others, first):
        yield Placed(file, directory / file.name)


def _require_room(pending: tuple[Placed, ...], directory: Path) -> None:
    """Raises DownloadError where the disk is too small."""
    begun_bytes = sum(placed.unfinished.stat().st_size for placed in pending if placed.unfinished.exists())
    needed_bytes = sum(placed.file.size_bytes for placed in pending) - begun_bytes
    free_bytes = shutil.disk_usage(directory).free
    if needed_bytes > free_bytes:
        raise DownloadError(
            f"{directory}: no room for it: {needed_bytes} bytes are to come, and the disk has {free_bytes} left; "
            "name another directory with --to, or a smaller type with --type"
        )


def _is_there(placed: Placed) -> bool:
    """Whether it was fetched before. Raises DownloadError where another file has its name."""
    if not placed.target.exists():
        return False
    same_size = placed.target.stat().st_size == placed.file.size_bytes
    if same_size and (not placed.file.is_sha256 or _digest(placed.target) == placed.file.digest):
        return True
    raise DownloadError(
        f"{placed.target}: there is another file of this name already; name another directory with --to"
    )


def _fetch(repository: Repository, placed: Placed) -> None:
    """Have all of a file where it grows. Raises DownloadError, and OSError of the disk."""
    path = placed.unfinished
    with path.open("ab") as target:
        _be_alone(target, path)
        if target.tell() > placed.file.size_bytes:
            target.truncate(0)
        hub.fetch(repository, placed.file, target)
        target.flush()
        os.fsync(target.fileno())
    if placed.file.is_sha256 and _digest(path) != placed.file.digest:
        path.unlink()
        raise DownloadError(
            f"{placed.file.path}: what came is not what the hub says it holds (by its SHA-256); run this again"
        )


def _be_alone(target: BinaryIO, path: Path) -> None:
    try:
        fcntl.flock(target, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DownloadError(f"{path}: another download of this file is under way") from None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _of_the_disk(path: Path) -> Iterator[None]:
    """Have what goes wrong with files said in a line."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DownloadError(f"{path}: the disk is full; make room and run this again to go on") from error
        raise DownloadError(f"{path}: cannot be written: {error.strerror or error}") from error
