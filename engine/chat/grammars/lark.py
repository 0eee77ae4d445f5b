"""Grammars as llguidance's Lark text: rules that are written one after the other, and the items that they are made of.

Owns how texts, marks, JSON and anything up to a mark are written. Marks that are tokens of their own are named by id, since no text holds
them; those that are plain text end a lazy lexeme. Must not know what a grammar is for.
"""

import json
import re
from collections.abc import Iterable, Mapping

from engine.chat.grammars.lark_in_json import quoted
from engine.request import JsonObject

TEXT = "TEXT"
_ANYTHING = r"/(.|\n)*/"
MOST_SPACE_CHARACTERS = 4
"""Between two marks: free white space lets a weak model wander in it for ever."""
_SPACE = rf"/[ \t\r\n]{{0,{MOST_SPACE_CHARACTERS}}}/"
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
        self._lazy_names: dict[str, str] = {}
        self._bare_names: dict[str, str] = {}
        self.held_grammars: list[str] = []

    def rule(self, name: str, body: str) -> str:
        """Adds a rule, or a terminal if its name is in capitals; its name."""
        self._rules[name] = body
        return name

    def written(self, start: str) -> str:
        """The whole grammar, beginning with `start`."""
        rules = {"start": start, **self._rules, TEXT: _ANYTHING}
        return "\n".join(["%llguidance {}", *(f"{name}: {body}" for name, body in rules.items()), ""])

    def is_token(self, mark: str) -> bool:
        """Whether a mark is a token of its own, or holds one: no text does."""
        return self._marks.search(mark) is not None

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

    def json_of_grammar(self, key: str, grammar: str, *, spacing: JsonObject = COMPACT) -> str:
        """A JSON object whose one member `key` is a text of another grammar. Raises Unquotable where JSON cannot hold that."""
        self.held_grammars.append(grammar)
        opening = f'{{{json.dumps(key)}{spacing.get("key_separator", ":")}"'
        return f"{_quoted(opening)} %lark {{\n{quoted(grammar)}\n}} {_quoted(chr(34) + '}')}"

    def until(self, name: str, mark: str) -> str:
        """Any text up to and with the first `mark`; `name` is for the rule that this may need."""
        if self.is_token(mark):
            return self._until_token(mark, TEXT)
        return self.rule(f"{name}[lazy]", f"{TEXT} {_quoted(mark)}").removesuffix("[lazy]")

    def until_closed(self, closing: str, text: str = TEXT, *, mark: str) -> str:
        """A text up to and with `closing`, which begins with `mark`. Nowhere in the text does the mark stand, be it spelled out where it
        is a token: whoever reads it sees no difference. `text`: the terminal for what may stand there."""
        bare = self._without(text, re.escape(mark))
        return self._until_token(closing, bare) if self.is_token(closing) else self._lazy(f"{bare} {_quoted(closing)}")

    def until_followed(self, mark: str, followers: Mapping[str, str], text: str = TEXT, *, ends: Iterable[str]) -> str:
        """A text up to and with the first `mark` that is followed by one of the texts which are keys here, behind little white space,
        and then by that text and its value, further items or none. Where a mark or a follower is a token, the first mark counts.
        `text`: the terminal for what may stand before the mark. `ends`: where one of these follows a mark, whoever reads the text takes
        it to end, so that nowhere in it one does."""
        bare = self._without(text, _followed(mark, ends))
        if self.is_token(mark) or any(map(self.is_token, followers)):
            rest = (f"{self.text(follower)} {items}" for follower, items in followers.items())
            is_token = self.is_token(mark)
            before = self._until_token(mark, bare) if is_token else self._lazy(f"{text} {_quoted(mark)}")
            return f"{before} {_SPACE} ({' | '.join(rest)})"
        rows = {f"{bare} {_quoted(mark)} {_SPACE} {_quoted(follower)}": items for follower, items in followers.items()}
        return " | ".join(f"{self._lazy(row)} {items}" for row, items in rows.items())

    def _without(self, terminal: str, regex: str) -> str:
        """The terminal for those of its texts that nowhere hold what the regular expression matches."""
        holding = self.regex(rf"(.|\n)*{regex}(.|\n)*")
        body = f"({terminal}) & ~{holding}"
        name = self._bare_names.setdefault(body, f"BARE_{len(self._bare_names)}")
        return self.rule(name, body)

    def _until_token(self, mark: str, text: str) -> str:
        """What of the mark stands before its token belongs to the same terminal as the text, or this would swallow it."""
        found = self._marks.search(mark)
        assert found is not None
        before = mark[: found.start()]
        whole = self.rule(f"BEFORE_TOKEN_{len(self._rules)}", f"{text} {_quoted(before)}") if before else text
        return f"{whole} {self.text(mark[found.start() :])}"

    def _lazy(self, terminal: str) -> str:
        """A rule that ends where the terminal first does; one for each terminal."""
        name = self._lazy_names.setdefault(terminal, f"lazy_{len(self._lazy_names)}")
        self.rule(f"{name}[lazy]", terminal)
        return name

    @staticmethod
    def in_order(members: list[tuple[str, str]], required: set[str], separator: str) -> str:
        """Members, named items, in their order; those that are not required may be left out, with their separator."""
        alternatives, rest = [], [*members]
        while rest:
            (name, first), rest = rest[0], rest[1:]
            further = (
                f" {separator} {text}" if following in required else f" ({separator} {text})?"
                for following, text in rest
            )
            alternatives.append(f"{first}{''.join(further)}")
            if name in required:
                return " | ".join(alternatives)
        return " | ".join([*alternatives, '""'])

    @staticmethod
    def literal(text: str) -> str:
        """A text in which nothing is taken for a mark."""
        return _quoted(text) or '""'

    @staticmethod
    def regex(regex: str) -> str:
        """A text that a regular expression matches whole."""
        return "/" + _UNESCAPED.sub(lambda found: _ESCAPED.get(found.group(), found.group()), regex) + "/"


def _followed(mark: str, ends: Iterable[str]) -> str:
    """A regular expression for the mark and one of these behind it, and little white space between."""
    return rf"{re.escape(mark)}[ \t\r\n]{{0,{MOST_SPACE_CHARACTERS}}}({'|'.join(map(re.escape, ends))})"


def _quoted(text: str) -> str:
    """In ASCII: llguidance's lexer takes no DEL as it is."""
    return json.dumps(text) if text else ""
