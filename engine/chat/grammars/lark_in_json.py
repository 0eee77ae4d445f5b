"""Rewrites a Lark grammar so that it describes its texts as they are spelled within a JSON string.

JSON spells each character by itself, so literals are spelled out, and what stands for one character of a regular expression stands for that
character's spelling. A lexer does not look ahead, though, and the spellings of all characters that JSON escapes begin with the same
backslash: an expression that may end, or go on with such a character, is taken apart into a rule. Owns that, and naming what cannot be
rewritten; the one spelling that is allowed is JSON's shortest. Must not know what is a well-formed grammar otherwise, nor what it is for.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial

from engine.chat.grammars.regex_in_json import Regex, Unquotable, escapes_of

_MOST_CHARACTERS = 1 << 14
_TEXT = r'"(?:\\.|[^"\\\n])*"'
_COMMENT_OR_TEXT = re.compile(rf"(?P<comment>(?://|\#)[^\n]*)|{_TEXT}|/(?:\\.|[^/\\\n])+/")
_NEGATION = re.compile(r"~(?!\s*\d)")
"""What JSON has in place of the texts that are not meant is no text of a string."""
_HEAD = re.compile(
    r"^[ \t]*(?:(?P<directive>%\w+)|(?P<name>[?!]*\w+)(?P<more>\.\d+|[ \t]*\[[^\]\n]*\])?[ \t]*:(?!:))", re.MULTILINE
)
_LEXEME = re.compile(
    rf"""(?P<range>(?P<first>{_TEXT})\s*\.\.\s*(?P<last>{_TEXT}))
    |(?P<text>{_TEXT})(?P<ignores_case>i?)
    |/(?P<regex>(?:\\.|[^/\\\n])+)/(?P<flags>[imslux]*)
    |->\s*\w+
    |(?P<name>[A-Za-z_]\w*)
    |(?P<refused>%\w+|<[^<>\s]+>|@\w*|::)
    """,
    re.VERBOSE | re.DOTALL,
)
_IMPORT = re.compile(r"\s*common(?:\.(?P<name>\w+)(?:\s*->\s*(?P<alias>\w+))?|\s*\((?P<names>[\w\s,]*)\))\s*")
_TERMINAL = re.compile(r"_?[A-Z][_A-Z0-9]*")

_COMMON = {
    "CR": r"/\r/",
    "LF": r"/\n/",
    "NEWLINE": r"/(\r?\n)+/",
    "WS": r"/[ \t\f\r\n]+/",
    "WS_INLINE": r"/[ \t]+/",
    "ESCAPED_STRING": r'/"([^"\\]|\\.)*"/',
    "SH_COMMENT": r"/#[^\n]*/",
    "CPP_COMMENT": r"/\/\/[^\n]*/",
    "C_COMMENT": r"/\/\*([^*]|\*+[^*\/])*\*+\//",
    "SQL_COMMENT": r"/--[^\n]*/",
}
"""Lark's common terminals that have characters in them which JSON escapes; the others stay imported."""


_regex = lru_cache(maxsize=256)(Regex)


def quoted(grammar: str) -> str:
    """The grammar of the same texts, as a JSON string has them between its quotes. Raises Unquotable."""
    if len(grammar) > _MOST_CHARACTERS:
        raise Unquotable(f"it has {len(grammar)} characters; expected at most {_MOST_CHARACTERS}")
    try:
        return _Grammar.of(grammar).written()
    except RecursionError as error:
        raise Unquotable("it is nested too deeply") from error


@dataclass
class _Grammar:
    """Its statements. `definitions`: rules and terminals, by name. `as_rules`: names of terminals that have to be rules."""

    definitions: dict[str, str] = field(default_factory=dict)
    imports: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    as_rules: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, text: str) -> "_Grammar":
        """Read from its text."""
        text = _COMMENT_OR_TEXT.sub(lambda found: "" if found["comment"] else found.group(), text)
        grammar, heads = cls(), list(_HEAD.finditer(text))
        if not heads or text[: heads[0].start()].strip():
            raise Unquotable("expected it to begin with a rule")
        for head, following in zip(heads, [*heads[1:], None], strict=True):
            grammar._add(head, text[head.end() : following.start() if following else len(text)].strip())
        return grammar

    def written(self) -> str:
        """The grammar within JSON."""
        ignored = [f"%ignore {self._ignored(body)}" for body in self.ignored]
        self._take_apart()
        definitions = [self._definition(name, body) for name, body in self.definitions.items()]
        return "\n".join([*self.imports, *definitions, *ignored])

    def _add(self, head: re.Match[str], body: str) -> None:
        if head["more"] or head["directive"] not in (None, "%import", "%ignore"):
            raise _refusal(head.group().strip())
        if _NEGATION.search(_COMMENT_OR_TEXT.sub("", body)):
            raise _refusal("~")
        if head["name"]:
            self.definitions[head["name"]] = body
        elif head["directive"] == "%ignore":
            self.ignored.append(body)
        else:
            self._import(body)

    def _import(self, body: str) -> None:
        found = _IMPORT.fullmatch(body)
        if found is None:
            raise _refusal(f"%import {body}")
        names = [found["name"]] if found["name"] else re.findall(r"\w+", found["names"])
        for name in names:
            if name in _COMMON:
                self.definitions[found["alias"] or name] = _COMMON[name]
            else:
                self.imports.append(f"%import common.{name}" + (f" -> {found['alias']}" if found["alias"] else ""))

    def _ignored(self, body: str) -> str:
        """What is ignored may come again and again, so of a repeated character once is enough."""
        definition = self.definitions.get(body, body)
        if not any(re.search(rf"\b{re.escape(body)}\b", other) for other in self.definitions.values()):
            self.definitions.pop(body, None)
        found = _LEXEME.fullmatch(definition)
        if found is None or not found["regex"]:
            return self._rewritten(definition, _as_terminal)
        regex = _regex(found["regex"], found["flags"])
        return _as_terminal(regex.once_of_repeated or regex)

    def _take_apart(self) -> None:
        """Finds the terminals that have to be rules; what refers to such a terminal has to be one, too."""
        terminals = {name: body for name, body in self.definitions.items() if _TERMINAL.fullmatch(name)}
        known = -1
        while known < len(self.as_rules):
            known = len(self.as_rules)
            self.as_rules.update(name for name, body in terminals.items() if self._is_rule(body))
        if self.as_rules and self.ignored:
            raise _refusal_beside_ignored(min(self.as_rules))

    def _is_rule(self, body: str) -> bool:
        if (found := _LEXEME.fullmatch(body)) and (found["regex"] or found["text"]):
            return bool(found["regex"]) and not _regex(found["regex"], found["flags"]).is_lexeme
        return any(found["name"] in self.as_rules or _has_escapes(found) for found in _LEXEME.finditer(body))

    def _definition(self, name: str, body: str) -> str:
        write = _as_terminal if _TERMINAL.fullmatch(name) and name not in self.as_rules else self._as_part_of_rule
        return f"{self._name(name)}: {self._rewritten(body, write)}"

    def _as_part_of_rule(self, regex: Regex) -> str:
        if regex.is_lexeme:
            return regex.as_lexeme()
        if self.ignored:
            raise _refusal_beside_ignored(f"/{regex.text}/")
        return regex.as_rule()

    def _name(self, name: str) -> str:
        return f"{name.lower().lstrip('_')}_in_json" if name in self.as_rules else name

    def _rewritten(self, body: str, write: Callable[[Regex], str]) -> str:
        return _LEXEME.sub(partial(self._lexeme, write), body)

    def _lexeme(self, write: Callable[[Regex], str], found: re.Match[str]) -> str:
        if found["refused"]:
            raise _refusal(found.group())
        if found["range"]:
            return write(_range(found))
        if found["regex"]:
            return write(_regex(found["regex"], found["flags"]))
        if found["text"]:
            return _text(found["text"], found["ignores_case"])
        return self._name(found["name"]) if found["name"] else found.group()


def _as_terminal(regex: Regex) -> str:
    if not regex.is_lexeme:
        raise Unquotable(f"`/{regex.text}/` may go on with characters that JSON escapes; here that can't be held")
    return regex.as_lexeme()


def _has_escapes(found: re.Match[str]) -> bool:
    if found["regex"]:
        return _regex(found["regex"], found["flags"]).has_escapes
    return bool(found["text"]) and bool(escapes_of(_read(found["text"])))


def _text(literal: str, ignores_case: str) -> str:
    text = _read(literal)
    if ignores_case and escapes_of(text):
        return _regex(re.escape(text), "i").as_lexeme()
    return json.dumps(json.dumps(text, ensure_ascii=False)[1:-1]) + ignores_case  # in ASCII, as in `lark`


def _range(found: re.Match[str]) -> Regex:
    first, last = _read(found["first"]), _read(found["last"])
    if len(first) != 1 or len(last) != 1:
        raise Unquotable(f"`{found.group()}` is no range of characters")
    return _regex(f"[{re.escape(first)}-{re.escape(last)}]")


def _read(literal: str) -> str:
    try:
        return str(json.loads(re.sub(r"(?<!\\)((?:\\\\)*)\\x([0-9a-fA-F]{2})", r"\1\\u00\2", literal)))
    except ValueError as error:
        raise Unquotable(f"`{literal}` is no string ({error})") from error


def _refusal_beside_ignored(text: str) -> Unquotable:
    return Unquotable(
        f"`{text}` may go on with characters that JSON escapes; beside `%ignore` that can't be held, so spell out what is ignored"
    )


def _refusal(text: str) -> Unquotable:
    return Unquotable(f"`{' '.join(text.split())}` can't be held in a call's JSON; write it otherwise")
