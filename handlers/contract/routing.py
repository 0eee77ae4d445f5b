"""Connexion, driven from the documents: it routes, and hands each request to the operation that the route names.

Owns the routing skeleton: Connexion reads OpenAPI 3.0 only, so it gets of each document what routing needs - paths, operationIds,
path parameters - and never a schema. Three documents in one skeleton, as it serves at most two descriptions on one base path. Must
not know how requests are checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from connexion import ConnexionMiddleware
from connexion.exceptions import ProblemException
from connexion.middleware.abstract import RoutedAPI, RoutedMiddleware
from connexion.middleware.routing import RoutingMiddleware
from connexion.operations import AbstractOperation
from connexion.resolver import Resolver
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from handlers.contract.documented import Operation, Parameter
from handlers.contract.unrouted import Unrouted

Applications = Mapping[str, ASGIApp]


class RoutedOperations:
    """An ASGI application: each of `operations` answered by its application, everything else by `unrouted`."""

    def __init__(self, operations: Iterable[Operation], applications: Applications, unrouted: Unrouted) -> None:
        self._unrouted = unrouted
        self._routes = ConnexionMiddleware(
            _End(unrouted),
            middlewares=[RoutingMiddleware, partial(_OperationMiddleware, applications=applications)],
            resolver=Resolver(partial(_bound, applications)),
        )
        self._routes.add_api(skeleton(operations), base_path="")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route the request to its operation. Raises the refusal where there is none."""
        if scope["type"] == "http":
            self._refuse_trailing_slash(scope)
        try:
            await self._routes(scope, receive, send)
        except ProblemException:
            raise
        except HTTPException as error:
            if error.status_code in (404, 405):
                raise self._unrouted.refusal(scope["method"], scope["path"]) from None
            raise

    def _refuse_trailing_slash(self, scope: Scope) -> None:
        """Starlette's router would redirect, an answer that no document has."""
        path = scope["path"]
        if path != "/" and path.endswith("/") and not self._unrouted.allowed_methods(path):
            raise self._unrouted.refusal(scope["method"], path)


def skeleton(operations: Iterable[Operation]) -> dict[str, Any]:
    """An OpenAPI 3.0.3 document that routes as the operations' own documents do."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in sorted(operations, key=_specificity):
        paths.setdefault(operation.path, {})[operation.method.lower()] = {
            "operationId": operation.key,
            "parameters": [
                _path_parameter(parameter) for parameter in operation.parameters if parameter.location == "path"
            ],
            "responses": {"default": {"description": "As the operation's own document says"}},
        }
    return {"openapi": "3.0.3", "info": {"title": "Routes", "version": "1"}, "paths": paths}


def _specificity(operation: Operation) -> tuple[bool, list[bool], bool]:
    """Routes match in order: fixed paths before those with parameters, those with slashes last, and HEAD before GET, which
    implies it. Otherwise the documents' order stays: what is asked most stands first in them."""
    segments = ["{" in segment for segment in operation.path.split("/")]
    slashes = any(parameter.allow_slashes for parameter in operation.parameters)
    return slashes, segments if any(segments) else [], operation.method != "HEAD"


def _path_parameter(parameter: Parameter) -> dict[str, Any]:
    schema = {"type": "string", "format": "path"} if parameter.allow_slashes else {"type": "string"}
    return {"name": parameter.name, "in": "path", "required": True, "schema": schema}


def _bound(applications: Applications, operation_id: str) -> ASGIApp:
    """The application of an operationId. ValueError is what Connexion turns into a failure at start-up."""
    if operation_id not in applications:
        raise ValueError(f"operation {operation_id} is documented but bound to no function")
    return applications[operation_id]


class _Operations(RoutedAPI[ASGIApp]):  # type: ignore[misc] # connexion has no type information
    """An API's operations, by operationId."""

    def __init__(self, *args: Any, applications: Applications, **options: Any) -> None:
        super().__init__(*args, **options)
        self._applications = applications
        self.add_paths()

    def make_operation(self, operation: AbstractOperation) -> ASGIApp:
        return self._applications[operation.operation_id]


class _OperationMiddleware(RoutedMiddleware[_Operations]):  # type: ignore[misc] # as above
    """Hands a routed request to its operation's application, an unrouted one to the next."""

    api_cls = _Operations

    def __init__(self, app: ASGIApp, *, applications: Applications) -> None:
        super().__init__(app)
        self._applications = applications

    def add_api(self, specification: Any, **options: Any) -> _Operations:
        api: _Operations = super().add_api(specification, applications=self._applications, **options)
        return api


class _End:
    """Behind all operations: who comes here was routed nowhere. Also answers the server's lifespan messages."""

    def __init__(self, unrouted: Unrouted) -> None:
        self._unrouted = unrouted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            raise self._unrouted.refusal(scope["method"], scope["path"])
        while (message := await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": message["type"] + ".complete"})
