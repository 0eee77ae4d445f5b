"""What a model hub's repository holds, and the models among its files. Must not know how a hub is asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from engine import is_gguf_name, is_projector_name, part_of, quantization_named, stem_of

_NO_MODEL = "imatrix"
"""Importance matrices are kept as GGUF files too."""


class DownloadError(Exception):
    """There is nothing to be had. The text is one line that says what stands in the way, and what to do."""


@dataclass(frozen=True, slots=True)
class RepositoryFile:
    """A file by its path in the repository. `digest`: of its content, in hexadecimal: SHA-256 where `is_sha256`."""

    path: str
    size_bytes: int
    digest: str
    is_sha256: bool = True

    @property
    def name(self) -> str:
        """Without the directory."""
        return PurePosixPath(self.path).name


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as it was at `commit`."""

    name: str
    commit: str
    files: tuple[RepositoryFile, ...]


@dataclass(frozen=True, slots=True)
class HubModel:
    """A model in a repository: its files in their order. `expected_files`: how many there should be."""

    files: tuple[RepositoryFile, ...]
    expected_files: int

    @property
    def stem(self) -> str:
        """What its first file is called, without the suffix."""
        return stem_of(self.files[0].name)

    @property
    def label(self) -> str:
        """How it is told from the others: by its quantization, or else by its file."""
        return quantization_named(self.stem) or self.files[0].path


def models_in(repository: Repository) -> list[HubModel]:
    """Its models, by name; a split one counts once."""
    groups: dict[tuple[str, int], list[RepositoryFile]] = {}
    for file in sorted(_ggufs(repository.files), key=lambda file: file.path):
        if not is_projector_name(file.name) and _NO_MODEL not in file.name.lower():
            groups.setdefault(_group(file.path), []).append(file)
    return [HubModel(tuple(files), count) for (_, count), files in groups.items()]


def projectors_in(repository: Repository) -> list[RepositoryFile]:
    """What its models can see or hear with."""
    return [file for file in _ggufs(repository.files) if is_projector_name(file.name)]


def _ggufs(files: Iterable[RepositoryFile]) -> list[RepositoryFile]:
    return [file for file in files if is_gguf_name(file.name)]


def _group(path: str) -> tuple[str, int]:
    """What all files of a model have in common, and how many these are."""
    part = part_of(stem_of(path))
    return (part.stem, part.total) if part else (path, 1)
