"""The contract, assembled: documents and coverage in, an ASGI application out.

Owns the start-up checks: every schema that is used compiles, and documents and functions agree. Must not know what is around it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp

import openapi
from handlers.boundary import ErrorBoundary
from handlers.contract import coverage
from handlers.contract.binding import FUNCTIONS, check_agreement
from handlers.contract.checked import CheckedOperation, Function, Surroundings
from handlers.contract.documented import Operation, Reader, base_path, operations
from handlers.contract.responses import ResponseChecks
from handlers.contract.routing import RoutedOperations
from handlers.contract.schemas import Schemas
from handlers.contract.unrouted import Unrouted

if TYPE_CHECKING:
    from engine import Engine
    from handlers.config import ServerConfig

Documents = Mapping[str, Mapping[str, Any]]


def served_documents() -> Documents:
    """The documents that this server is driven by, by name."""
    return {name: openapi.document(name) for name in openapi.DOCUMENT_NAMES}


def contract_application(
    engine: Engine,
    config: ServerConfig,
    documents: Documents | None = None,
    covered: Mapping[str, Any] | None = None,
    functions: Mapping[Any, Function] = FUNCTIONS,
) -> RoutedOperations:
    """The application that `documents` describe, with what `covered` says of the published operations."""
    documents = served_documents() if documents is None else documents
    covered = openapi.coverage() if covered is None else covered
    described = [operation for name, spec in documents.items() for operation in operations(name, spec)]
    check_agreement((operation.key for operation in described), functions)
    assembly = _Assembly(documents, covered, Surroundings(engine, config, Schemas(documents)))
    applications = {operation.key: assembly.application(operation, functions[operation.key]) for operation in described}
    return RoutedOperations(described, applications, Unrouted(described, assembly.unserved()))


class _Assembly:
    """Puts each operation together."""

    def __init__(self, documents: Documents, covered: Mapping[str, Any], around: Surroundings) -> None:
        self._readers = {name: Reader(name, spec) for name, spec in documents.items()}
        self._covered = covered
        self._around = around

    def application(self, operation: Operation, function: Function) -> ASGIApp:
        """The operation's checks around its function; where the server checks its answers, errors included, those too."""
        document, _, operation_id = operation.key.partition(".")
        reader = self._readers[document]
        limits = coverage.limits(self._covered.get(document, {}).get(operation_id, {}))
        checked = CheckedOperation(operation, reader, limits, function, self._around)
        if not self._around.config.validate_responses:
            return checked
        return ResponseChecks(ErrorBoundary(checked), operation, reader, self._around.schemas)

    def unserved(self) -> list[coverage.Unserved]:
        """Every published operation that is not served."""
        return [
            operation
            for name, reader in self._readers.items()
            for operation in coverage.unserved(name, base_path(reader.spec), self._covered.get(name, {}))
        ]
