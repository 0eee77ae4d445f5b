"""Cuts the text of a Go template into tokens, as Go's `text/template/parse` does.

Owns delimiters, comments, the trimming of white space beside `{{- ` and ` -}}`, and the spelling of literals. Must not know the grammar.
"""

import re
from collections.abc import Generator, Iterator
from typing import Literal, NamedTuple

from engine.chat.prompts.go_template.fault import GoTemplateFault

Kind = Literal["text", "open", "close", "space", "string", "raw", "char", "number", "field", "variable", "word", "mark"]

_WHITE_SPACE = " \t\r\n"
_OPEN = re.compile(r"\{\{(?P<trim>-(?=[ \t\r\n]))?")
_CLOSE = re.compile(r"(?P<trim>[ \t\r\n]+-)?\}\}")
_COMMENT = re.compile(r"[ \t\r\n]*/\*")
_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\n]+)
    | (?P<string>"(?:[^"\\\n]|\\.)*")
    | (?P<raw>`[^`]*`)
    | (?P<char>'(?:[^'\\\n]|\\.)+')
    | (?P<number>[+-]?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+))
    | (?P<field>\.[^\W\d]\w*)
    | (?P<variable>\$\w*)
    | (?P<word>[^\W\d]\w*)
    | (?P<mark>:=|[=|(),.])
    """,
    re.VERBOSE,
)


class Token(NamedTuple):
    """A piece of the template. `text` of the kind `text` is trimmed, of all others as it stands."""

    kind: Kind
    text: str
    offset: int


def tokens(source: str) -> Iterator[Token]:
    """The tokens in order. Raises GoTemplateFault."""
    position, trims = 0, False
    while True:
        opening = _OPEN.search(source, position)
        text = source[position : opening.start() if opening else len(source)]
        text = text.lstrip(_WHITE_SPACE) if trims else text
        if opening is None:
            yield from _text(text, position)
            return
        yield from _text(text.rstrip(_WHITE_SPACE) if opening["trim"] else text, position)
        comment = _COMMENT.match(source, opening.end()) if opening["trim"] else None
        if comment or source.startswith("/*", opening.end()):
            position, trims = _end_of_comment(source, opening)
            continue
        yield Token("open", "{{", opening.start())
        position, trims = yield from _action(source, opening)


def _text(text: str, offset: int) -> Iterator[Token]:
    if text:
        yield Token("text", text, offset)


def _end_of_comment(source: str, opening: re.Match[str]) -> tuple[int, bool]:
    """Where the text goes on behind a comment, and whether it is trimmed there."""
    end = source.find("*/", opening.end())
    if end < 0:
        raise GoTemplateFault("a comment has no end", opening.start())
    closing = _CLOSE.match(source, end + 2)
    if closing is None:
        raise GoTemplateFault("a comment ends before its action does", end)
    return closing.end(), closing["trim"] is not None


def _action(source: str, opening: re.Match[str]) -> Generator[Token, None, tuple[int, bool]]:
    """The tokens between the delimiters; returns where the text goes on, and whether it is trimmed there."""
    position = opening.end()
    while True:
        closing = _CLOSE.match(source, position)
        if closing:
            yield Token("close", closing[0], position)
            return closing.end(), closing["trim"] is not None
        token = _TOKEN.match(source, position)
        if token is None:
            raise GoTemplateFault(
                _unreadable(source, position), position if position < len(source) else opening.start()
            )
        kind: Kind = token.lastgroup  # type: ignore[assignment] # the pattern's groups are the kinds
        yield Token(kind, token[0], position)
        position = token.end()


def _unreadable(source: str, position: int) -> str:
    if position >= len(source):
        return "an action has no end"
    character = source[position]
    return "a text in quotes has no end" if character in "\"`'" else f"{character!r} has no meaning in an action"
