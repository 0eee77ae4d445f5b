"""Rewrites a regular expression so that it describes its texts as they are spelled within a JSON string.

Owns which of an expression's parts stand for characters that JSON escapes, and how these parts are written then: in one expression, or
as items of a Lark rule. Must not know where the expression comes from.
"""

import json
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from engine.chat.grammars.regex_tree import Atom, Choice, Node, Positions, Repeat, Series

_ESCAPED = (*map(chr, range(0x20)), '"', "\\")
"""The characters that JSON does not have as they are."""
_AS_IT_IS = r'[^"\\\x00-\x1f]'
_SAMPLES = (*map(chr, range(0x7F)), "é", "中")
_MOST_POSITIONS = 150

_NO_PLAIN_ESCAPE = r"\\(?:[AbBzZpPU]|u(?![0-9a-fA-F]{4})|x(?![0-9a-fA-F]{2}))"
_PART = re.compile(
    rf"""(?P<group>\((?!\?)|\(\?:|\(\?P?<\w+>)
    |(?P<quantifier>[*+?]|\{{\d+(?:,\d*)?\}})(?![*+?])
    |(?P<close>\))
    |(?P<bar>\|)
    |(?P<refused>\(\?\S?|[*+?^$]|{_NO_PLAIN_ESCAPE})
    |(?P<atom>\[\^?\]?(?:\\.|[^\]\\])*\]|\\(?:x[0-9a-fA-F]{{2}}|u[0-9a-fA-F]{{4}}|.)|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_SET_OF_SETS = re.compile(rf"\[.*\[|&&|--|~~|{_NO_PLAIN_ESCAPE}", re.DOTALL)


class Unquotable(ValueError):
    """Something cannot be held within a JSON string; the message names it."""


def escapes_of(characters: Iterable[str]) -> list[str]:
    """Those of some characters that JSON escapes, as it spells them."""
    return [json.dumps(character)[1:-1] for character in characters if character in _ESCAPED]


@dataclass(frozen=True)
class Regex:
    """An expression, in the syntax that Python and Rust have in common. Raises Unquotable once it is looked into."""

    text: str
    flags: str = ""

    @cached_property
    def _tree(self) -> Node:
        if set(self.flags) - set("isu"):
            raise Unquotable(f"`/{self.text}/{self.flags}`: of the flags only i, s and u can be held in a call's JSON")
        return _Reader(self.text.replace(r"\/", "/"), dot=r"[\s\S]" if "s" in self.flags else r"[^\n]").tree()

    @property
    def has_escapes(self) -> bool:
        """Whether any of its texts has characters that JSON escapes."""
        return self._tree.has_escapes

    @cached_property
    def is_lexeme(self) -> bool:
        """Whether a lexer can tell where its texts end: behind none may a character that JSON escapes go on with it."""
        if not self._tree.has_escapes:
            return True
        positions = Positions(self._tree, at_most=_MOST_POSITIONS)
        return not any(atom.escaped for following in positions.behind_ends() for atom in following)

    @property
    def once_of_repeated(self) -> "Regex | None":
        """The expression for one character, if this is one for a number of such."""
        tree = self._tree
        if isinstance(tree, Repeat) and isinstance(tree.item, Atom) and tree.quantifier in ("+", "*"):
            return Regex(tree.item.text, self.flags)
        return None

    def as_lexeme(self) -> str:
        """One expression of Lark."""
        return self._regex(_spelled(self._tree))

    def as_rule(self) -> str:
        """Items of a Lark rule, whose lexemes are what stands between escaped characters, and these characters."""
        return self._items(self._tree)

    def _items(self, node: Node) -> str:
        if not node.has_escapes:
            return self._regex(node.text)
        match node:
            case Atom():
                return self._item(node)
            case Series():
                return f"({' '.join(self._items(item) for item in node.items)})"
            case Choice():
                return f"({' | '.join(self._items(item) for item in node.items)})"
            case Repeat(Atom() as atom, "+" | "*" as quantifier):
                return self._item(atom, "+") + quantifier
            case Repeat():
                return self._items(node.item) + node.quantifier

    def _item(self, atom: Atom, quantifier: str = "") -> str:
        escapes = self._regex("|".join(map(re.escape, escapes_of(atom.escaped))), "")
        return f"({self._regex(_rest(atom) + quantifier)} | {escapes})" if atom.is_set else escapes

    def _regex(self, text: str, flags: str | None = None) -> str:
        return f"/{text.replace('/', chr(92) + '/')}/{self.flags.replace('s', '') if flags is None else flags}"


def _spelled(node: Node) -> str:
    if not node.has_escapes:
        return node.text
    match node:
        case Atom():
            escapes = [f"(?-i:{re.escape(escape)})" for escape in escapes_of(node.escaped)]
            return f"(?:{'|'.join([_rest(node), *escapes] if node.is_set else escapes)})"
        case Series():
            return f"(?:{''.join(map(_spelled, node.items))})"
        case Choice():
            return f"(?:{'|'.join(map(_spelled, node.items))})"
        case Repeat():
            return _spelled(node.item) + node.quantifier


def _rest(atom: Atom) -> str:
    """Those characters of a set that JSON does not escape."""
    return f"[{atom.text}&&{_AS_IT_IS}]"


class _Reader:
    """Reads an expression."""

    def __init__(self, text: str, *, dot: str) -> None:
        anchored = re.fullmatch(r"\^?(.*?)(?<!\\)\$?", text, re.DOTALL)
        self._parts = list(_PART.finditer(anchored[1] if anchored else text))
        self._dot = dot
        self._at = 0

    def tree(self) -> Node:
        """All of it."""
        tree = self._choice()
        if self._at < len(self._parts):
            raise self._refusal(self._parts[self._at].group())
        return tree

    def _choice(self) -> Node:
        items = [self._series()]
        while self._next("bar"):
            items.append(self._series())
        return items[0] if len(items) == 1 else Choice(tuple(items))

    def _series(self) -> Node:
        items = []
        while self._at < len(self._parts) and self._parts[self._at].lastgroup not in ("bar", "close"):
            items.append(self._repeated())
        return items[0] if len(items) == 1 else Series(tuple(items))

    def _repeated(self) -> Node:
        node = self._single()
        if quantifier := self._next("quantifier"):
            node = Repeat(node, quantifier)
        return node

    def _single(self) -> Node:
        if self._next("group"):
            node = self._choice()
            if not self._next("close"):
                raise self._refusal("(")
            return node
        atom = self._next("atom")
        if atom is None:
            raise self._refusal(self._parts[self._at].group())
        return _atom(self._dot if atom == "." else atom)

    def _next(self, kind: str) -> str | None:
        if self._at < len(self._parts) and self._parts[self._at].lastgroup == kind:
            self._at += 1
            return self._parts[self._at - 1].group()
        return None

    @staticmethod
    def _refusal(text: str) -> Unquotable:
        return Unquotable(f"`{text}` in a regular expression can't be held in a call's JSON; write it otherwise")


def _atom(text: str) -> Atom:
    if _SET_OF_SETS.search(text):
        raise Unquotable(f"`{text}` in a regular expression can't be held in a call's JSON; write it otherwise")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            pattern = re.compile(text, re.DOTALL | re.ASCII)
    except (re.error, FutureWarning) as error:
        raise Unquotable(f"`{text}` in a regular expression can't be held in a call's JSON: {error}") from error
    return Atom(
        text,
        escaped=tuple(character for character in _ESCAPED if pattern.fullmatch(character)),
        samples=frozenset(character for character in _SAMPLES if pattern.fullmatch(character)),
    )
