"""Owns the one exception by which translation says no: the document allows the request, its meaning does not.

Must not know statuses or error bodies: `handlers.errors` makes this a 400 in the dialect's shape.
"""

UNSUPPORTED_PARAMETER = "unsupported_parameter"


class InvalidParameter(Exception):
    """The caller asked for something that makes no sense here.

    `message` says what was expected, `param` is the path of the field at fault (`messages[2].content`), `code` is the
    machine-readable cause: `invalid_value`, or `unsupported_parameter` for what this server knows but does not do.
    """

    def __init__(self, message: str, param: str, *, code: str = "invalid_value") -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code
