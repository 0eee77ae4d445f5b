"""How long a model stays loaded, as a caller writes it: seconds, or a duration in Go's notation (`time.ParseDuration`).

Owns that notation. Must not know what the engine does at the end of that time.
"""

import re

from handlers.wire.refusal import InvalidParameter

FOR_EVER_SECONDS = -1.0
_MAX_SECONDS = 2**63 / 1e9  # Go counts a duration in nanoseconds, in 64 bits
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_TERM = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_DURATION = re.compile(rf"([+-]?)((?:{_TERM.pattern})+)")
_ZERO = re.compile(r"[+-]?0")


def parse_keep_alive(value: float | str | None, param: str = "keep_alive") -> float | None:
    """Seconds; negative means for ever (always -1), 0 at once, None that the caller leaves it to the server's setting.

    A text needs its units, unless it is a zero. Raises InvalidParameter for any other text and for durations beyond Go's range.
    """
    if value is None:
        return None
    seconds = _seconds(value, param) if isinstance(value, str) else float(value)
    if abs(seconds) >= _MAX_SECONDS:
        raise InvalidParameter(f"{param}: {value!r} is longer than the longest duration, 292 years", param)
    return FOR_EVER_SECONDS if seconds < 0 else seconds


def _seconds(text: str, param: str) -> float:
    if _ZERO.fullmatch(text):
        return 0.0
    duration = _DURATION.fullmatch(text)
    if duration is None:
        raise InvalidParameter(
            f"{param}: expected a number of seconds, or a duration such as '5m', '1h30m' or '300ms', but got {text[:64]!r}",
            param,
        )
    total = sum(float(amount) * _SECONDS[unit] for amount, unit in _TERM.findall(duration[2]))
    return -total if duration[1] == "-" else total
