"""The contract: three OpenAPI 3.1 documents and what of the published ones is covered.

Owns reading them from the installed package. Must not know what they mean, nor who routes or validates by them.
"""

from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml

DocumentName = Literal["openai", "ollama", "server"]

DOCUMENT_NAMES: tuple[DocumentName, ...] = ("openai", "ollama", "server")


@cache
def document(name: DocumentName) -> dict[str, Any]:
    """The OpenAPI document `name`, parsed once; callers must not change it."""
    return _load(f"{name}.yaml")


@cache
def coverage() -> dict[str, Any]:
    """What is served, refused or planned of each published document, parsed once; callers must not change it."""
    return _load("coverage.yaml")


def _load(file_name: str) -> dict[str, Any]:
    text = files(__package__).joinpath(file_name).read_bytes()
    loaded: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return loaded
