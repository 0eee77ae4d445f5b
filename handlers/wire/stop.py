"""Stop strings, which both dialects take as one string or several. Must not know how the engine looks for them."""

from collections.abc import Sequence


def parse_stop(stop: str | Sequence[str] | None) -> tuple[str, ...]:
    """The stop strings in order."""
    return (stop,) if isinstance(stop, str) else tuple(stop or ())
