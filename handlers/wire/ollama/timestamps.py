"""Points in time as Ollama writes them. Must not know what happened then."""

import time
from datetime import UTC, datetime

FOR_EVER = "2318-01-01T00:00:00Z"
"""When a model that stays for ever expires: a date as far off as the one that Ollama sends, which clients can parse."""


def rfc3339(unix_seconds: float) -> str:
    """A time in RFC 3339, in UTC, to the microsecond."""
    return datetime.fromtimestamp(unix_seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def now() -> str:
    """This moment in RFC 3339."""
    return rfc3339(time.time())
