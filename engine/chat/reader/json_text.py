"""Finds where a JSON value in growing text ends, and where text stops being one, character by character.

Owns the grammar of JSON as far as structure goes; the spelling of numbers and literals, and what the value means, are its reader's
business. Line breaks and other control characters inside strings pass: models write them.
"""

import re
from enum import Enum, auto

_STRING_RUN = re.compile(r'[^"\\]*')
_SCALAR_RUN = re.compile(r"[A-Za-z0-9+.\-]+")
_SPACE_RUN = re.compile(r"[ \t\r\n]*")
_MAX_DEPTH = 200


class NotJson(ValueError):
    """The text is no JSON, whatever follows."""


class _Expect(Enum):
    ROOT = auto()
    KEY_OR_END = auto()
    KEY = auto()
    COLON = auto()
    VALUE = auto()
    VALUE_OR_END = auto()
    COMMA_OR_END = auto()
    NOTHING = auto()


class JsonScanner:
    """Reads one JSON value, fed in pieces, in linear time. Values nested over 200 deep are taken for no JSON. `read_characters`: of the
    last piece."""

    def __init__(self) -> None:
        self.read_characters = 0
        self._expect = _Expect.ROOT
        self._closers: list[str] = []
        self._in_string = False
        self._escaped = False
        self._in_scalar = False

    @property
    def is_in_string(self) -> bool:
        """Whether what comes next belongs to a string that has begun."""
        return self._in_string

    def feed(self, text: str) -> int | None:
        """How much of `text` belongs to the value that ends in it; None if it goes on, as a number or a literal may until something else
        follows. Raises NotJson at the first character that cannot be there."""
        position = self.read_characters = 0
        while position < len(text):
            position = self._in_string_step(text, position) if self._in_string else self._structure_step(text, position)
            self.read_characters = position
            if self._expect is _Expect.NOTHING and not (self._in_string or self._in_scalar):
                return position
        return None

    def finish(self) -> None:
        """Nothing follows. Raises NotJson if the value is not whole."""
        if self._expect is not _Expect.NOTHING or self._in_string:
            raise NotJson("it ends too early")

    def _in_string_step(self, text: str, position: int) -> int:
        if self._escaped:
            self._escaped = False
            return position + 1
        position = _end_of(_STRING_RUN, text, position)
        if position < len(text):
            self._escaped = text[position] == "\\"
            self._in_string = self._escaped
        return position + 1

    def _structure_step(self, text: str, position: int) -> int:
        if self._in_scalar:
            position = _end_of(_SCALAR_RUN, text, position)
            self._in_scalar = position == len(text)
            return position
        position = _end_of(_SPACE_RUN, text, position)
        if position == len(text):
            return position
        self._take(text[position])
        return position + (not self._in_scalar)

    def _take(self, character: str) -> None:
        if character in "{[":
            self._open(character)
        elif character in "}]":
            self._close(character)
        elif character == '"':
            self._begin_string()
        elif character == ":":
            self._move({_Expect.COLON: _Expect.VALUE}, character)
        elif character == ",":
            after = _Expect.KEY if self._closers[-1:] == ["}"] else _Expect.VALUE
            self._move({_Expect.COMMA_OR_END: after}, character)
        elif _SCALAR_RUN.match(character):
            self._move(_AFTER_VALUE, character)
            self._in_scalar = True
        else:
            raise NotJson(f"unexpected {character!r}")

    def _open(self, character: str) -> None:
        if len(self._closers) == _MAX_DEPTH:
            raise NotJson(f"nested more than {_MAX_DEPTH} deep")
        if character == "{":
            self._move(dict.fromkeys(_VALUES, _Expect.KEY_OR_END), character)
            self._closers.append("}")
        else:
            self._move(dict.fromkeys(_VALUES, _Expect.VALUE_OR_END), character)
            self._closers.append("]")

    def _close(self, character: str) -> None:
        if self._closers[-1:] != [character]:
            raise NotJson(f"unexpected {character!r}")
        empty = _Expect.KEY_OR_END if character == "}" else _Expect.VALUE_OR_END
        self._closers.pop()
        after = _Expect.COMMA_OR_END if self._closers else _Expect.NOTHING
        self._move({_Expect.COMMA_OR_END: after, empty: after}, character)

    def _begin_string(self) -> None:
        self._move({_Expect.KEY: _Expect.COLON, _Expect.KEY_OR_END: _Expect.COLON, **_AFTER_VALUE}, '"')
        self._in_string = True

    def _move(self, table: dict[_Expect, _Expect], character: str) -> None:
        """Takes the step that `table` allows from here; any other is an error in the text."""
        if self._expect not in table:
            raise NotJson(f"unexpected {character!r}")
        self._expect = table[self._expect]


_VALUES = (_Expect.ROOT, _Expect.VALUE, _Expect.VALUE_OR_END)
_AFTER_VALUE = {**dict.fromkeys(_VALUES, _Expect.COMMA_OR_END), _Expect.ROOT: _Expect.NOTHING}


def _end_of(run: re.Pattern[str], text: str, position: int) -> int:
    match = run.match(text, position)
    return match.end() if match else position
