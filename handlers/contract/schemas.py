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


class Schemas:
    """The documents' schemas by place. Each is compiled at its first use, so use each at start-up."""

    def __init__(self, documents: Mapping[str, Spec]) -> None:
        resources: list[tuple[str, Any]] = [(_uri(name), spec) for name, spec in documents.items()]
        self._registry = Registry(resources, draft=Draft202012)
        self._compiled: dict[Place, Draft202012Validator] = {}
        self._keywords: dict[Place, Draft202012Validator] = {}

    def validator(self, place: Place) -> Draft202012Validator:
        """The validator of the schema at `place`."""
        if place not in self._compiled:
            self._compiled[place] = self._compile(self.reference(place))
        return self._compiled[place]

    def keyword(self, place: Place, name: str, value: Any) -> Draft202012Validator:
        """The validator of one keyword alone, which concerns the schema at `place`."""
        key = place.child(name)
        if key not in self._keywords:
            self._keywords[key] = self._compile({name: value})
        return self._keywords[key]

    @staticmethod
    def reference(place: Place) -> dict[str, Any]:
        """A schema that refers to the one at `place`."""
        return {"$ref": f"{_uri(place.document)}#{quote(place.pointer, safe=_POINTER_SAFE)}"}

    def _compile(self, schema: dict[str, Any]) -> Draft202012Validator:
        return Draft202012Validator(schema, registry=self._registry)


def compiled(schema: dict[str, Any]) -> Draft202012Validator:
    """The validator of a schema that stands alone."""
    return Draft202012Validator(schema)


def _uri(document: str) -> str:
    return f"urn:trueline:{document}"
