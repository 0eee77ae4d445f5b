"""Which `mmproj` file goes with a model: the one that is named for it, or that lies beside it under a name that says so.

Owns those names, as model hubs and llama.cpp's converter give them, and what such a file says of itself. Must not know how one is loaded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import CatalogError
from engine.host.file_names import SUFFIX, quantization_named, without_part, without_quantization
from engine.host.gguf_header import read_header

_MARK = "mmproj"
_SEPARATORS = "-_."
_OF_ANY_MODEL = ("", "model")
_PREFERRED = ("F16", "BF16", "F32")
"""Encoders are small and lose by quantization what they are for."""


@dataclass(frozen=True, slots=True)
class ProjectorFile:
    """A projector. `sees`: it takes pictures; `hears`: it takes sound. Equal while nothing has changed on disk."""

    path: Path
    stamp: tuple[int, int]
    sees: bool
    hears: bool


def is_projector_name(file_name: str) -> bool:
    """Whether a file is a projector by its name, and no model."""
    return _MARK in file_name.lower()


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What lies in a model's directory: projectors, and how many models, of which a split one counts once."""

    projectors: tuple[Path, ...]
    models: int


def neighbours_in(directory: Path) -> Neighbours:
    """What lies there; nothing where it can't be looked at."""
    try:
        files = sorted(path for path in directory.iterdir() if path.suffix.lower() == ".gguf")
    except OSError:
        return Neighbours((), 0)
    projectors = tuple(path for path in files if is_projector_name(path.name))
    models = {without_part(path.stem) for path in files if not is_projector_name(path.name)} if projectors else ()
    return Neighbours(projectors, len(models))


def beside(model: Path, neighbours: Neighbours) -> Path | None:
    """The projector in a model's directory that goes with it.

    Either it has the model's name (`mmproj-NAME-F16.gguf`, `NAME-mmproj-F16.gguf`), or the name of none (`mmproj.gguf`,
    `mmproj-model-F16.gguf`) where the model is the directory's only one.
    """
    named = [path for path in neighbours.projectors if _is_named_for(path, model)]
    is_alone = neighbours.models == 1
    candidates = named or [path for path in neighbours.projectors if is_alone and _base(path) in _OF_ANY_MODEL]
    return min(candidates, key=_rank, default=None)


def projector_for(model: Path, projectors: Sequence[Path]) -> Path | None:
    """Which of a repository's projectors goes with one of its models: the one that would beside it, or else the only one there is."""
    found = beside(model, Neighbours(tuple(projectors), 1))
    if found is None and len({_base(path) for path in projectors}) == 1:
        return min(projectors, key=_rank)
    return found


def projector_name(model: Path, projector: Path) -> str:
    """The name by which a projector is found beside a model, whatever else lies there: its own, if that is one."""
    if _is_named_for(projector, model):
        return projector.name
    precision = quantization_named(projector.stem)
    return "-".join(filter(None, (_MARK, without_quantization(model.stem), precision))) + SUFFIX


def read_projector(path: Path) -> ProjectorFile:
    """What a projector's file says. Raises CatalogError where it is none."""
    values = read_header(path).values
    if values.get("general.architecture") != "clip":
        raise CatalogError(
            f"{path}: not a projector: its general.architecture is {values.get('general.architecture')!r}"
        )
    status = path.stat()
    return ProjectorFile(
        path,
        (status.st_size, status.st_mtime_ns),
        sees=values.get("clip.has_vision_encoder") is True,
        hears=values.get("clip.has_audio_encoder") is True,
    )


def _is_named_for(projector: Path, model: Path) -> bool:
    """Whether the model's name begins with what the projector's has beside the mark and its precision."""
    base = _base(projector)
    stem = model.stem.lower()
    return base not in _OF_ANY_MODEL and stem.startswith(base) and stem[len(base) : len(base) + 1] in ("", *_SEPARATORS)


def _base(projector: Path) -> str:
    before, _, after = without_quantization(projector.stem.lower()).partition(_MARK)
    return "-".join(part for part in (before.strip(_SEPARATORS), after.strip(_SEPARATORS)) if part)


def _rank(projector: Path) -> tuple[int, str]:
    precision = quantization_named(projector.stem)
    return (_PREFERRED.index(precision) if precision in _PREFERRED else len(_PREFERRED)), projector.name
