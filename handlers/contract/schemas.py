"""Validators, compiled once from the documents' own schemas.

Owns the JSON Schema engine and its registry. Must not know operations or HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from jsonschema_rs import Draft202012, Draft202012Validator, Registry

from handlers.contract.documented import Place, Spec

_POINTER_SAFE = "/~!$&()*+,;=:@-._"  # RFC 3986 fragment characters; path templates hold braces, which are not
_MASK = "***"  # stands for the client's value in messages: a value of 10 MB must not be rendered to be refused


class Schemas:
    """The documents' schemas by place. Each is compiled at its first use, so use each at start-up."""

    def __init__(self, documents: Mapping[str, Spec]) -> None:
        resources: list[tuple[str, Any]] = [(_uri(name), spec) for name, spec in documents.items()]
        self._registry = Registry(resources, draft=Draft202012)
        self._compiled: dict[Place, Draft202012Validator] = {}

    def validator(self, place: Place) -> Draft202012Validator:
        """The validator of the schema at `place`."""
        if place not in self._compiled:
            reference = f"{_uri(place.document)}#{quote(place.pointer, safe=_POINTER_SAFE)}"
            self._compiled[place] = Draft202012Validator({"$ref": reference}, registry=self._registry, mask=_MASK)
        return self._compiled[place]


def compiled(schema: dict[str, Any]) -> Draft202012Validator:
    """The validator of a schema that stands alone."""
    return Draft202012Validator(schema, mask=_MASK)


def _uri(document: str) -> str:
    return f"urn:trueline:{document}"
