"""Path, query and header parameters: from text to the declared types, then checked against their schemas.

Owns the conversion. Must not know bodies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Scope

from handlers.contract.documented import Parameter, Reader
from handlers.contract.schemas import Schemas
from handlers.contract.violation import CheckedSchema
from handlers.contract.wording import as_refusal
from handlers.errors import ApiError

_BOOLEANS = {"true": True, "false": False}


class Parameters:
    """One operation's parameters, ready to be read from requests."""

    def __init__(self, declared: Iterable[Parameter], reader: Reader, schemas: Schemas) -> None:
        self._of: dict[str, list[tuple[Parameter, CheckedSchema]]] = {"path": [], "query": []}
        for parameter in declared:
            self._of[parameter.location].append((parameter, CheckedSchema(parameter.schema, reader, schemas)))
        self._query_names = {parameter.name for parameter, _ in self._of["query"]}

    def path(self, scope: Scope) -> Mapping[str, Any]:
        """The values of the path's parameters. Raises 400."""
        texts = {name: [str(value)] for name, value in scope.get("path_params", {}).items()}
        return {parameter.name: _value(parameter, schema, texts) for parameter, schema in self._of["path"]}

    def query(self, scope: Scope) -> tuple[Mapping[str, Any], list[str]]:
        """The values of the query's parameters that are present, and the names that are not declared. Raises 400."""
        texts = _query(scope["query_string"])
        values = {
            parameter.name: _value(parameter, schema, texts)
            for parameter, schema in self._of["query"]
            if parameter.required or parameter.name in texts
        }
        return values, [name for name in texts if name not in self._query_names]


def _query(query_string: bytes) -> dict[str, list[str]]:
    """Every value of each name; `include[]=a` is how some clients write an item of `include`."""
    texts: dict[str, list[str]] = {}
    if query_string:
        try:
            pairs = parse_qsl(
                query_string.decode("latin-1"), keep_blank_values=True, errors="strict", max_num_fields=1000
            )
        except ValueError:
            message = "The query string is not UTF-8, or has more than 1000 parts."
            raise ApiError(400, message, code="invalid_query") from None
        for name, value in pairs:
            texts.setdefault(name.removesuffix("[]"), []).append(value)
    return texts


def _value(parameter: Parameter, schema: CheckedSchema, texts: Mapping[str, list[str]]) -> Any:
    name = parameter.name
    if name not in texts:
        raise ApiError(400, f"'{name}' is required.", param=name, code="missing_required_parameter")
    value = texts[name] if parameter.type == "array" else _converted(texts[name][-1], parameter.type)
    if not schema.is_valid(value):
        raise as_refusal(schema.violation(value), value, name=name)
    return value


def _converted(text: str, wire_type: str) -> Any:
    """`text` as its JSON type; where it is none of the kind, itself, for the schema to refuse."""
    try:
        if wire_type == "integer":
            return int(text)
        if wire_type == "number":
            return float(text)
    except ValueError:
        return text
    return _BOOLEANS.get(text, text) if wire_type == "boolean" else text
