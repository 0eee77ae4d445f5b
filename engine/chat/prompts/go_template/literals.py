"""The values of Go's literals. Must not know where they stand."""

import re
from typing import Any

from engine.chat.prompts.go_template.fault import GoTemplateFault
from engine.chat.prompts.go_template.lexer import Token

_MAX_DIGITS = 40
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL)
_OCTAL = re.compile(r"[+-]?0[0-7]+")
_NAMED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", "'": "'", '"': '"'}


def literal(token: Token) -> Any:
    """The value of a text, character or number. Raises GoTemplateFault."""
    match token.kind:
        case "string":
            return _unescaped(token)
        case "raw":
            return token.text[1:-1].replace("\r", "")
        case "char":
            text = _unescaped(token)
            if len(text) != 1:
                raise GoTemplateFault(f"{token.text} is not one character", token.offset)
            return ord(text)
    return _number(token)


def _number(token: Token) -> int | float:
    if len(token.text) > _MAX_DIGITS:
        raise GoTemplateFault(f"a number of more than {_MAX_DIGITS} digits", token.offset)
    if _OCTAL.fullmatch(token.text):
        return int(token.text, 8)
    try:
        return int(token.text, 0)
    except ValueError:
        return float(token.text)


def _unescaped(token: Token) -> str:
    def replace(match: re.Match[str]) -> str:
        two, four, eight, octal, named = match.groups()
        if named is not None:
            if named not in _NAMED:
                raise GoTemplateFault(f"\\{named} is no escape that Go knows", token.offset + 1 + match.start())
            return _NAMED[named]
        code = int(octal, 8) if octal else int(two or four or eight, 16)
        if code > 0x10FFFF or 0xD800 <= code < 0xE000:
            raise GoTemplateFault(f"{match[0]} is no character", token.offset + 1 + match.start())
        return chr(code)

    return _ESCAPE.sub(replace, token.text[1:-1])
