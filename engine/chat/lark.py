"""Grammars as llguidance's Lark text: rules that are written one after the other, and the items that they are made of.

Owns how texts, marks, JSON and anything up to a mark are written. Marks that are tokens of their own are named by id, since no text holds
them; those that are plain text end a lazy lexeme. Must not know what a grammar is for.
"""

import json
import re
from collections.abc import Mapping

from engine.request import JsonObject

TEXT = "TEXT"
_ANYTHING = r"/(.|\n)*/"
_SPACE = r"/[ \t\r\n]*/"
# Free white space lets a weak model wander in it for ever.
COMPACT: JsonObject = {"whitespace_flexible": False}
SPACED: JsonObject = {**COMPACT, "item_separator": ", ", "key_separator": ": "}
"""As Python spaces JSON, and as templates show models their own calls."""
_UNESCAPED = re.compile(r"\\.|/|\n", re.DOTALL)
_ESCAPED = {"/": r"\/", "\n": r"\n"}


class Lark:
    """A grammar being written. `tokens`: the ids of the marks that are tokens of their own in the vocabulary."""

    def __init__(self, tokens: Mapping[str, int]) -> None:
        self._tokens = tokens
        self._marks = re.compile("|".join(f"({re.escape(mark)})" for mark in tokens) or "(?!)")
        self._rules: dict[str, str] = {}

    def rule(self, name: str, body: str) -> str:
        """Adds a rule, or a terminal if its name is in capitals; its name."""
        self._rules[name] = body
        return name

    def written(self, start: str) -> str:
        """The whole grammar, beginning with `start`."""
        rules = {"start": start, **self._rules, TEXT: _ANYTHING}
        return "\n".join(["%llguidance {}", *(f"{name}: {body}" for name, body in rules.items()), ""])

    def is_token(self, mark: str) -> bool:
        """Whether a mark is a token of its own."""
        return mark in self._tokens

    def text(self, text: str) -> str:
        """A text with its marks."""
        items, end = [], 0
        for found in self._marks.finditer(text):
            items += [_quoted(text[end : found.start()]), f"<[{self._tokens[found.group()]}]>"]
            end = found.end()
        return " ".join(filter(None, [*items, _quoted(text[end:])]))

    def json(self, schema: JsonObject, *, spacing: JsonObject = COMPACT, lenient: bool = False) -> str:
        """A JSON document valid under `schema`: as far as can be enforced if `lenient`."""
        return f"%json {json.dumps({**schema, 'x-guidance': {**spacing, 'lenient': lenient}})}"

    def until(self, name: str, *marks: str, text: str = TEXT) -> str:
        """Any text up to and with the first place where these marks stand in a row, with white space or nothing between them; `name` is for
        the rule that this may need. Several of these may be alternatives. `text`: a terminal for what may stand before the first mark."""
        first, *rest = marks
        if self.is_token(first):
            return " ".join([text, self.text(first), *(f"{_SPACE} {self.text(mark)}" for mark in rest)])
        row = f" {_SPACE} ".join(map(_quoted, marks))
        return self.rule(f"{name}[lazy]", f"{text} {row}").removesuffix("[lazy]")

    @staticmethod
    def regex(regex: str) -> str:
        """A text that a regular expression matches whole."""
        return "/" + _UNESCAPED.sub(lambda found: _ESCAPED.get(found.group(), found.group()), regex) + "/"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if text else ""
