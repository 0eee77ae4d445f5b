"""Thinking in the one text that clients carry from an answer to the next request where they keep nothing else of it.

Owns that text's form. It is no secret: an answer has the thinking in plain words beside it, and whoever asks may change it.
"""

import base64
import binascii

_MARK = "tl1."


def sealed(thoughts: str) -> str:
    """The text that stands for these thoughts."""
    return _MARK + base64.urlsafe_b64encode(thoughts.encode()).decode()


def unsealed(text: str) -> str | None:
    """The thoughts that a text stands for; None where it is not of this server."""
    if not text.startswith(_MARK):
        return None
    try:
        return base64.b64decode(text.removeprefix(_MARK), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        return None
