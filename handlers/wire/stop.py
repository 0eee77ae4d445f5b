"""Stop strings, which both dialects take as one string or several. Must not know how the engine looks for them."""

from collections.abc import Sequence

from handlers.wire.refusal import InvalidParameter


def parse_stop(stop: str | Sequence[str] | None, param: str = "stop") -> tuple[str, ...]:
    """The stop strings in order. Raises InvalidParameter for an empty one: it would end every answer before its start."""
    if isinstance(stop, str):
        return (_not_empty(stop, param),)
    return tuple(_not_empty(string, f"{param}[{position}]") for position, string in enumerate(stop or ()))


def _not_empty(string: str, param: str) -> str:
    if not string:
        raise InvalidParameter(
            f"{param}: expected a stop string of at least one character, but got an empty one", param
        )
    return string
