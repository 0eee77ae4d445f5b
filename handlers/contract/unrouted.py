"""What is answered where no operation is: a published operation that is not served, a wrong method, or an unknown path.

Owns the matching of such requests, which happens on failure only. Must not know Connexion.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

from handlers.contract.coverage import Unserved
from handlers.contract.documented import Operation
from handlers.errors import ApiError

_LONGEST_SHOWN_PATH = 200


class Unrouted:
    """The answers to requests that the router refused."""

    def __init__(self, served: Iterable[Operation], unserved: Iterable[Unserved]) -> None:
        self._served = tuple(served)
        self._unserved = tuple(unserved)

    def refusal(self, method: str, path: str) -> ApiError:
        """Why `method` on `path` reaches no operation."""
        shown = path[:_LONGEST_SHOWN_PATH]
        for pattern, operation in self._unserved_patterns:
            if operation.method == method and pattern.fullmatch(path):
                return operation.refusal()
        allowed = self.allowed_methods(path)
        if allowed:
            message = f"{shown} does not take {method}; it takes {allowed}."
            return ApiError(405, message, code="method_not_allowed", headers={"Allow": allowed})
        message = f"There is nothing at {shown}; /docs shows what this server offers."
        return ApiError(404, message, code="unknown_path")

    def allowed_methods(self, path: str) -> str:
        """The methods that `path` takes, as `Allow` lists them; empty where it is unknown."""
        methods = {operation.method for pattern, operation in self._served_patterns if pattern.fullmatch(path)}
        if "GET" in methods:
            methods.add("HEAD")
        return ", ".join(sorted(methods))

    @cached_property
    def _served_patterns(self) -> list[tuple[re.Pattern[str], Operation]]:
        return [(_pattern(operation.path, slashes=_slashes(operation)), operation) for operation in self._served]

    @cached_property
    def _unserved_patterns(self) -> list[tuple[re.Pattern[str], Unserved]]:
        slashed = {operation.path for operation in self._served if _slashes(operation)}
        return [
            (_pattern(operation.path, slashes=operation.path in slashed), operation) for operation in self._unserved
        ]


def _slashes(operation: Operation) -> bool:
    return any(parameter.allow_slashes for parameter in operation.parameters)


def _pattern(template: str, *, slashes: bool) -> re.Pattern[str]:
    """What a path template matches. `slashes`: its parameters may contain some."""
    literals = (re.escape(part) for part in re.split(r"\{[^{}]*\}", template))
    return re.compile((".+" if slashes else "[^/]+").join(literals), re.DOTALL)
