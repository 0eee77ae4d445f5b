"""Owns the spelling of JSON Schema's patterns (ECMA-262) in the words of llguidance's regular expressions (Rust's), where these differ
without either complaining. Must not know where in a schema a pattern stands.
"""

import re
from collections.abc import Iterator

_PIECE = re.compile(r"\\.|\[\^?\]?|.", re.DOTALL)
_OF_NAMES = re.compile(r"\^(?:\((?:\?:)?(?P<several>[\w -]+(?:\|[\w -]+)*)\)|(?P<one>[\w -]+))\$", re.ASCII)
_OPERATORS = "&-~"
_SETS_IN_SETS = {rf"\{letter}" for letter in "dDsSwW"}
"""No range begins with one."""


def rust_spelling(pattern: str) -> str:
    """The same pattern for Rust, which reads sets within sets, and `&&`, `--` and `~~` as operations between them."""
    return "".join(_pieces(pattern))


def names_matched(pattern: str) -> tuple[str, ...]:
    """The names that a pattern stands for where it does nothing but list them; else none."""
    found = _OF_NAMES.fullmatch(pattern)
    if found is None:
        return ()
    return tuple(dict.fromkeys((found["several"] or found["one"]).split("|")))


def _pieces(pattern: str) -> Iterator[str]:
    in_set, last = False, ""
    for piece in _PIECE.findall(pattern):
        if in_set and piece[0] == "[":
            yield "\\" + piece.removesuffix("]")
            in_set = not piece.endswith("]")
            yield "]" if not in_set else ""
        elif not in_set and piece[0] == "[":
            in_set = not piece.endswith("]")
            yield piece if in_set else _SETS[piece]
        elif in_set and ((piece in _OPERATORS and piece == last) or (piece == "-" and last in _SETS_IN_SETS)):
            yield "\\" + piece
        else:
            in_set = in_set and piece != "]"
            yield piece
        last = piece


_SETS = {"[]": r"[^\s\S]", "[^]": r"[\s\S]"}
"""Nothing and anything: Rust takes a bracket in the first place for one of the set's characters."""
