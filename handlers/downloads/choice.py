"""Which files of a repository are fetched: the model of the wanted type, or of the one that its family's record recommends.

Must not know how a hub is asked, nor where files go.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine import Facts, Recognition, projector_for, recognise
from handlers.downloads.repository import (
    DownloadError,
    HubModel,
    Repository,
    RepositoryFile,
    models_in,
    projectors_in,
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for. `type`: such as Q4_K_M; `file`: the model's file by its path; `projector`: None is where there is one."""

    repository: str
    revision: str | None = None
    type: str | None = None
    file: str | None = None
    projector: bool | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What is fetched. `recognition`: the model's family, where the type was chosen by it; `reason`: why it is this type."""

    model: HubModel
    projector: RepositoryFile | None
    recognition: Recognition | None
    reason: str


_NAME = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(?::(?P<type>[\w.-]+))?", re.ASCII)


def wish_of(text: str, wanted_type: str | None) -> tuple[str, str | None]:
    """Repository and type, as they are written together: OWNER/NAME or OWNER/NAME:TYPE. Raises DownloadError."""
    found = _NAME.fullmatch(text)
    if found is None:
        raise DownloadError(f"{text!r} is no repository; expected OWNER/NAME or OWNER/NAME:TYPE")
    if found["type"] and wanted_type and found["type"].upper() != wanted_type.upper():
        raise DownloadError(f"{text}: the type is named twice, and --type says {wanted_type}; leave one out")
    return found["repository"], wanted_type or found["type"]


def choose(repository: Repository, wish: Wish, architecture_of: Callable[[], str]) -> Choice:
    """What to fetch. `architecture_of`: asks the hub, where it is of use; empty if that can't tell. Raises DownloadError."""
    models = models_in(repository)
    if not models:
        raise DownloadError(
            f"{repository.name}: there is no model in a GGUF file; look for a repository that has it as GGUF"
        )
    model, recognition, reason = _model(repository, models, wish, architecture_of)
    missing = model.expected_files - len(model.files)
    if missing:
        raise DownloadError(
            f"{repository.name}: {missing} of the {model.expected_files} parts of {model.stem} are not there"
        )
    return Choice(model, _projector(repository, model, wish.projector), recognition, reason)


def _model(
    repository: Repository, models: list[HubModel], wish: Wish, architecture_of: Callable[[], str]
) -> tuple[HubModel, Recognition | None, str]:
    if wish.file:
        named = [model for model in models if wish.file in (model.files[0].path, model.files[0].name)]
        there = ", ".join(model.files[0].path for model in models)
        return (
            _one(repository, named, f"no model begins with the file {wish.file}; there are {there}"),
            None,
            "as named",
        )
    if wish.type:
        wanted = f"nothing is of type {wish.type}; name one that is there: {_labels(models)}"
        return _one(repository, _of_type(models, wish.type), wanted), None, "as named"
    recognition = recognise(Facts(architecture_of(), repository=repository.name.partition("/")[2]))
    family = recognition.family
    found = _of_type(models, family.quantization)
    if not found and len(models) == 1:
        return models[0], recognition, f"the only one there; {family.quantization} is recommended for the family"
    wanted = f"nothing is of type {family.quantization}, which is recommended for {family.title}; name one with --type: {_labels(models)}"
    return _one(repository, found, wanted), recognition, "as recommended for the family"


def _one(repository: Repository, found: list[HubModel], otherwise: str) -> HubModel:
    if not found:
        raise DownloadError(f"{repository.name}: {otherwise}")
    if len(found) > 1:
        paths = ", ".join(model.files[0].path for model in found)
        raise DownloadError(f"{repository.name}: several models are of that type; name one with --file: {paths}")
    return found[0]


def _of_type(models: list[HubModel], wanted: str) -> list[HubModel]:
    """Those whose quantization is just this, or else those that have it anywhere in their names."""
    exact = [model for model in models if model.label == wanted.upper()]
    within = re.compile(rf"(?:^|[-_.]){re.escape(wanted)}(?=$|[-.])", re.IGNORECASE)
    return exact or [model for model in models if within.search(model.stem)]


def _labels(models: list[HubModel]) -> str:
    return ", ".join(dict.fromkeys(model.label for model in models))


def _projector(repository: Repository, model: HubModel, wanted: bool | None) -> RepositoryFile | None:
    if wanted is False:
        return None
    files = {Path(file.name): file for file in projectors_in(repository)}
    found = projector_for(Path(model.files[0].name), list(files))
    if found is None and wanted:
        there = ", ".join(file.path for file in files.values()) or "there is none at all"
        raise DownloadError(f"{repository.name}: no projector goes with {model.stem} by its name ({there})")
    return None if found is None else files[found]
