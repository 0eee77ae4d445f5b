"""Which models there are: files and directories become named entries with their metadata.

Owns names, the grouping of split files, and the noticing of files that come, change and go. Must not know whether a
model is loaded, nor what its metadata means.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from engine.config import LoadParams
from engine.errors import CatalogError
from engine.host.file_names import is_gguf_name, part_of, stem_of, without_part
from engine.host.metadata import Capability, ModelMetadata, read_metadata
from engine.host.projectors import (
    Neighbours,
    ProjectorFile,
    beside,
    is_projector_name,
    neighbours_in,
    read_projector,
)

logger = logging.getLogger(__name__)

Source = tuple[str | None, Path]
Stamp = tuple[int, int]

_RESCAN_SECONDS = 1.0
# A rescan may take at most this share of the time between two.
_RESCAN_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model that can be asked for by `name`. `path` is its file (the first of a split model, `paths` has all),
    `modified_at` in unix seconds; `projector`: by which it takes pictures or sound. Two entries are equal while nothing has
    changed on disk."""

    name: str
    paths: tuple[Path, ...]
    stamps: tuple[Stamp, ...]
    metadata: ModelMetadata = field(compare=False, repr=False)
    projector: ProjectorFile | None = None

    @property
    def path(self) -> Path:
        """The file to load."""
        return self.paths[0]

    @property
    def size_bytes(self) -> int:
        """The size of all its files."""
        return sum(size for size, _ in self.stamps)

    @property
    def modified_at(self) -> float:
        """When the newest of its files changed, in unix seconds."""
        return max(modified_ns for _, modified_ns in self.stamps) / 1e9


class Catalog:
    """The models found in `sources`: (name or None, file) or (None, directory). `scan()` it before use."""

    def __init__(
        self, sources: tuple[Source, ...], load_of: Callable[[str], LoadParams] = lambda _: LoadParams()
    ) -> None:
        """`load_of`: how the model of a name is to be loaded, which may say what goes with it."""
        self._sources = sources
        self._load_of = load_of
        self._entries: dict[str, ModelEntry] = {}
        self._refused: dict[tuple[Path, ...], tuple[tuple[Stamp, ...], str]] = {}
        self._warned: frozenset[str] = frozenset()
        self._warnings: dict[str, None] = {}
        self._neighbours: dict[Path, Neighbours] = {}
        self._next_scan = 0.0

    @property
    def file_names(self) -> tuple[str, ...]:
        """The names of the models that were given as files, not found in directories."""
        return tuple(_file_name(source) for source in self._sources if not source[1].is_dir())

    def scan(self) -> None:
        """Read all sources for the first time. Raises CatalogError for one that was named and is not what it must be."""
        for name, path in self._sources:
            if name is not None and path.is_dir():
                raise CatalogError(f"{path}: a name ({name}) can be given to a file only, and this is a directory")
        self._rebuild(strict=True)
        if not self._entries:
            logger.warning("no model found in %s", ", ".join(str(path) for _, path in self._sources) or "no source")

    def models(self) -> list[ModelEntry]:
        """All entries by name; notices what has changed on disk, looking at most once a second."""
        if time.monotonic() >= self._next_scan:
            self._rebuild(strict=False)
        return sorted(self._entries.values(), key=lambda entry: entry.name)

    def find(self, name: str) -> ModelEntry | None:
        """The entry of this name as it is on disk now; `name:latest` is `name`, as Ollama's clients write it."""
        entry = self._named(name)
        if entry is not None and _is_unchanged(entry):
            return entry
        if entry is not None:
            self._next_scan = 0.0
        self.models()
        return self._named(name)

    def _named(self, name: str) -> ModelEntry | None:
        return self._entries.get(name) or self._entries.get(name.removesuffix(":latest"))

    def _rebuild(self, *, strict: bool) -> None:
        """Look at every source again; files whose size and time are the same are not read again."""
        begun = time.monotonic()
        entries: dict[str, ModelEntry] = {}
        warnings: dict[str, None] = {}
        self._warnings = warnings
        self._neighbours.clear()
        for source in self._sources:
            for name, path in self._files(source):
                try:
                    _add(entries, self._entry(name, path))
                except CatalogError as error:
                    if strict and path == source[1]:
                        raise
                    warnings[str(error)] = None
        self._entries = entries
        self._warn(warnings)
        ended = time.monotonic()
        self._next_scan = ended + max(_RESCAN_SECONDS, (ended - begun) / _RESCAN_SHARE)

    def _files(self, source: Source) -> Iterator[tuple[str, Path]]:
        name, path = source
        if name is None and path.is_dir():
            yield from _walk(path)
        else:
            yield _file_name(source), path

    def _entry(self, name: str, path: Path) -> ModelEntry:
        """The known entry where nothing has changed, else a new one; a refused file is refused again unread."""
        if not name.isprintable():
            raise CatalogError(f"{str(path)!a}: its name is not printable text")
        paths = parts_of(path)
        stamps = _stamps(paths)
        known = self._entries.get(name)
        projector = self._projector(name, paths[0], known.projector if known is not None else None)
        if known is not None and (known.paths, known.stamps, known.projector) == (paths, stamps, projector):
            return known
        refused_stamps, reason = self._refused.get(paths, (None, ""))
        if refused_stamps == stamps:
            raise CatalogError(reason)
        template = self._load_of(name).chat_template
        try:
            metadata = read_metadata(paths, chat_template=template)
            return ModelEntry(name, paths, stamps, _with_senses(metadata, projector), projector)
        except CatalogError as error:
            self._refused[paths] = (stamps, str(error))
            raise

    def _projector(self, name: str, model: Path, known: ProjectorFile | None) -> ProjectorFile | None:
        """What goes with a model: as it is set, or what lies beside it. One that is known and has not changed is not read again."""
        load = self._load_of(name)
        path = Path(load.projector) if load.projector else self._beside(model) if load.finds_projector else None
        if path is None:
            return None
        if known is not None and known.path == path and _stamps((path,)) == (known.stamp,):
            return known
        try:
            return read_projector(path)
        except CatalogError as error:
            if load.projector:
                raise
            self._warnings[str(error)] = None
            return None

    def _beside(self, model: Path) -> Path | None:
        """Each directory is listed once a look."""
        neighbours = self._neighbours.get(model.parent)
        if neighbours is None:
            neighbours = self._neighbours[model.parent] = neighbours_in(model.parent)
        return beside(model, neighbours)

    def _warn(self, warnings: dict[str, None]) -> None:
        """Say what the last look did not say already."""
        for warning in warnings:
            if warning not in self._warned:
                logger.warning("skipped %s", warning)
        self._warned = frozenset(warnings)


def read_model(path: Path) -> ModelEntry:
    """The model of one file, or of a split model's first, whatever lies beside it. Raises CatalogError."""
    catalog = Catalog(((None, path),), lambda _: LoadParams(finds_projector=False))
    catalog.scan()
    return catalog.models()[0]


def _with_senses(metadata: ModelMetadata, projector: ProjectorFile | None) -> ModelMetadata:
    """The metadata with what a projector adds to what the model can do."""
    if projector is None or "completion" not in metadata.capabilities:
        return metadata
    senses: list[Capability] = []
    if projector.sees:
        senses.append("vision")
    if projector.hears:
        senses.append("audio")
    return replace(metadata, capabilities=(*metadata.capabilities, *senses))


def _add(entries: dict[str, ModelEntry], entry: ModelEntry) -> None:
    """Raises CatalogError where another file has the name already."""
    other = entries.setdefault(entry.name, entry)
    if other.paths != entry.paths:
        reason = f"the name {entry.name} is already that of {other.path}; give it another: NAME={entry.path}"
        raise CatalogError(f"{entry.path}: {reason}")


def _file_name(source: Source) -> str:
    name, path = source
    return name or _model_name(path.name)


def _model_name(file_name: str) -> str:
    """The file's name without its suffix and, in a split model, without the part's number."""
    return without_part(stem_of(file_name))


def _walk(directory: Path) -> Iterator[tuple[str, Path]]:
    """Name and first file of every model below `directory`. Links are followed, each directory once."""
    seen: set[tuple[int, int]] = set()
    for folder, subfolders, files in os.walk(directory, followlinks=True):
        identity = _identity(Path(folder))
        if identity is None or identity in seen:
            subfolders.clear()
            continue
        seen.add(identity)
        subfolders.sort()
        for file_name in sorted(files):
            path = Path(folder, file_name)
            if _is_first_file(file_name):
                yield _model_name(path.relative_to(directory).as_posix()), path


def _identity(folder: Path) -> tuple[int, int] | None:
    """What tells one directory from another under all its names; None where it has just gone."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _is_first_file(file_name: str) -> bool:
    if not is_gguf_name(file_name) or is_projector_name(file_name):
        return False
    part = part_of(stem_of(file_name))
    return part is None or part.number == 1


def parts_of(path: Path) -> tuple[Path, ...]:
    """All files of the model that begins with `path`. Raises CatalogError where `path` is a later part."""
    part = part_of(stem_of(path.name)) if is_gguf_name(path.name) else None
    if part is None:
        return (path,)
    names = [f"{part.stem}-{number:05}-of-{part.total:05}{path.suffix}" for number in range(1, part.total + 1)]
    if part.number != 1:
        raise CatalogError(
            f"{path}: only a part of a model; name its first part, {part.stem}-00001-of-{part.total:05}{path.suffix}"
        )
    return tuple(path.with_name(name) for name in names)


def _is_unchanged(entry: ModelEntry) -> bool:
    projector = entry.projector
    return _stamps(entry.paths) == entry.stamps and (
        projector is None or _stamps((projector.path,)) == (projector.stamp,)
    )


def _stamps(paths: tuple[Path, ...]) -> tuple[Stamp, ...]:
    """Size and time of each file; () where one cannot be looked at."""
    stamps: list[Stamp] = []
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            return ()
        stamps.append((status.st_size, status.st_mtime_ns))
    return tuple(stamps)
