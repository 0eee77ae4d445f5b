"""Values as Python writes them, read from growing text: strings, numbers, lists, tuples, dictionaries, and the names of constants.

Owns their syntax, JSON's spelling of the constants included. Must not know what the values are for. Nothing is ever evaluated.
"""

import json
import re
from typing import Any

from engine.chat.reader.source import Emit, Reading, Source, Unreadable

QUOTES = ('"""', "'''", '"', "'")
_CONSTANTS = {"True": True, "False": False, "None": None, "true": True, "false": False, "null": None}
_ENDLESS = {float("inf"): "1e999", float("-inf"): "-1e999"}
_WORD = re.compile(r"[A-Za-z0-9_.+\-]")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "a": "\a", "v": "\v", "0": "\0", "\n": ""}
_HEX_DIGITS = {"x": 2, "u": 4, "U": 8}
_MAX_DEPTH = 64
_MAX_WORD_CHARACTERS = 400


def literal_in(text: str) -> Any:
    """The value that a whole text is. Raises Unreadable if it is none."""
    source = Source()
    source.feed(text)
    source.end(is_cut=False)
    reading = read_literal(source)
    try:
        next(reading)
    except StopIteration as found:
        if source.rest.strip():
            raise Unreadable("more than one value") from None
        return found.value
    raise AssertionError("a text that is over keeps no reader waiting")


def read_literal(source: Source, depth: int = 0) -> Reading[Any]:
    """The value that begins here. Raises Unreadable where there is none."""
    if depth > _MAX_DEPTH:
        raise Unreadable(f"nested more than {_MAX_DEPTH} deep")
    yield from source.white_space()
    opening = yield from source.accept("[", "(", "{", *QUOTES)
    if opening in ("[", "("):
        return (yield from _items(source, "]" if opening == "[" else ")", depth))
    if opening == "{":
        return (yield from _members(source, depth))
    if opening is not None:
        return (yield from read_string(source, opening))
    return _constant((yield from read_word(source)))


def as_json(value: Any) -> str:
    """A value as JSON, where numbers beyond all that Python counts with are some that are as large."""
    if isinstance(value, list):
        return f"[{', '.join(map(as_json, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{as_json(key)}: {as_json(item)}' for key, item in value.items())}}}"
    return _ENDLESS.get(value) or json.dumps(value, ensure_ascii=False)


def read_word(source: Source) -> Reading[str]:
    """Letters, digits and the signs of numbers, up to something else; nothing if it follows at once."""
    taken = ""
    while _WORD.match((yield from source.peek())):
        if len(taken) == _MAX_WORD_CHARACTERS:
            raise Unreadable("a word without end")
        taken += source.take(1)
    return taken


def read_string(source: Source, quote: str) -> Reading[str]:
    """A string from behind its opening quote."""
    taken: list[str] = []
    yield from read_characters(source, quote, taken.append)
    return "".join(taken)


def read_characters(source: Source, quote: str, emit: Emit) -> Reading[None]:
    """Emits what a string holds from behind its opening quote, which is read up to the closing one."""
    while (yield from source.accept(quote)) is None:
        character = yield from _next(source)
        if source.is_cut and quote.startswith(character + source.rest):
            raise Unreadable("it is cut")  # within the closing quote
        emit((yield from _escape(source)) if character == "\\" else character)


def _escape(source: Source) -> Reading[str]:
    character = yield from _next(source)
    if character not in _HEX_DIGITS:
        return _ESCAPES.get(character, character if character in "\\'\"/" else f"\\{character}")
    code = ""
    for _ in range(_HEX_DIGITS[character]):
        code += yield from _next(source)
    return (yield from _character(source, _number(code)))


def _character(source: Source, code: int) -> Reading[str]:
    """Also one that two halves stand for, as in JSON."""
    if 0xD800 <= code < 0xDC00 and (yield from source.accept("\\u")):
        low = ""
        for _ in range(4):
            low += yield from _next(source)
        code = 0x10000 + ((code - 0xD800) << 10) + (_number(low) - 0xDC00)
    if 0xD800 <= code < 0xE000 or not 0 <= code < 0x110000:
        raise Unreadable(f"{code:x} is no character")
    return chr(code)


def _number(digits: str) -> int:
    try:
        return int(digits, 16)
    except ValueError as error:
        raise Unreadable(f"{digits!r} is no number") from error


def _next(source: Source) -> Reading[str]:
    character = yield from source.peek()
    if not character:
        raise Unreadable("a string without end")
    return source.take(1)


def _items(source: Source, closing: str, depth: int) -> Reading[list[Any]]:
    items: list[Any] = []
    while not (yield from _closes(source, closing, is_first=not items)):
        items.append((yield from read_literal(source, depth + 1)))
    return items


def _members(source: Source, depth: int) -> Reading[dict[str, Any]]:
    members: dict[str, Any] = {}
    is_first = True
    while not (yield from _closes(source, "}", is_first=is_first)):
        key = yield from read_literal(source, depth + 1)
        if not isinstance(key, str | int | float | bool | None):
            raise Unreadable("a key that is a collection")
        yield from source.white_space()
        yield from source.expect(":")
        members[key if isinstance(key, str) else str(key)] = yield from read_literal(source, depth + 1)
        is_first = False
    return members


def _closes(source: Source, closing: str, *, is_first: bool) -> Reading[bool]:
    """Whether a collection ends here; else the comma before its next item is read. One may stand before the end, too."""
    yield from source.white_space()
    if (yield from source.accept(closing)):
        return True
    if is_first:
        return False
    yield from source.expect(",")
    yield from source.white_space()
    return (yield from source.accept(closing)) is not None


def _constant(word: str) -> Any:
    if word in _CONSTANTS:
        return _CONSTANTS[word]
    if not _NUMBER.fullmatch(word):
        raise Unreadable(f"{word!r} is no value")
    try:
        return int(word)
    except ValueError:
        return float(word)
