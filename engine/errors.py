"""Everything that can go wrong with a request, as the engine's callers see it: one exception, one code per cause.

Owns the codes, which cross the process boundary inside `Failed`. Must not know how a dialect words or numbers them.
"""

from typing import Literal, get_args

ErrorCode = Literal[
    "model_not_found",
    "model_load_failed",
    "invalid_request",
    "context_length_exceeded",
    "unsupported_schema",
    "template_failed",
    "not_supported_by_model",
    "overloaded",
    "queue_full",
    "queue_timeout",
    "worker_died",
    "shutting_down",
    "internal",
]


class EngineError(Exception):
    """A request failed. `code` says why, `message` is for the caller, `param` names the part of the request at fault.
    `retry_after_seconds`: when it is worth another try, where that was measured."""

    def __init__(
        self, code: ErrorCode, message: str, *, param: str | None = None, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message)
        self.code: ErrorCode = code
        self.message = message
        self.param = param
        self.retry_after_seconds = retry_after_seconds

    def again(self) -> "EngineError":
        """The same failure for another request: a raised exception carries the trace of one."""
        return EngineError(self.code, self.message, param=self.param, retry_after_seconds=self.retry_after_seconds)


ERROR_CODES: tuple[ErrorCode, ...] = get_args(ErrorCode)


class CatalogError(Exception):
    """A model file named at start is missing, unreadable or no usable GGUF file; the text is one line naming the file."""
