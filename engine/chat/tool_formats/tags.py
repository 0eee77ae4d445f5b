"""A call written as tags: the function's name in one, and each argument with its name in one and its value as bare text behind it.

Owns how such calls are read, whatever the tags are. An argument's value ends where the tag that closes it is followed by one that goes on
with the call, so that a value may speak of tags. Must not know any family's tags, nor how such calls are held to a schema.
"""

import json
from dataclasses import dataclass

from engine.chat.grammars.lark import MOST_SPACE_CHARACTERS, Lark
from engine.chat.reader.answer import Answer
from engine.chat.reader.source import WHITE_SPACE, Marks, Reading, Source, Unreadable
from engine.chat.tool_formats.typed_value import STRING, Types, Value, types_of, value_of
from engine.request import JsonObject

_MAX_NAME_CHARACTERS = 512


TYPES = frozenset({"string", "number", "integer", "boolean", "null", "array", "object"})


@dataclass(frozen=True)
class ValueTag:
    """The texts around a value. `is_text`: whether the opening says that it is a string, or that it is not; None: the schema tells.
    `texts`: a regular expression for the strings that models write so; None: any. `json_types`: the types of other values behind it."""

    opening: str
    closing: str
    is_text: bool | None = None
    texts: str | None = None
    json_types: frozenset[str] = TYPES - {"string"}

    def types(self, wanted: Types) -> Types:
        """The types that a value behind this opening may have, if its schema wants these."""
        if self.is_text is None:
            return wanted
        return STRING if self.is_text else (wanted or TYPES) & self.json_types or self.json_types


@dataclass(frozen=True)
class Tags:
    """How a family writes a call: what stands before and behind the function's name (nothing, if arguments follow at once), before and
    behind an argument's name, around its value, and at the end. `frame`: what stands around the value itself. `separator`: what the family
    writes between two tags, `before_value` between an argument's name and its value; readers take any white space."""

    call: str
    name_end: str
    key: str
    key_end: str
    values: tuple[ValueTag, ...]
    call_end: str
    frame: str = ""
    separator: str = "\n"
    may_omit_separator: bool = False
    before_value: str = ""
    number: tuple[str, str] | None = None
    """Texts around the call's number, which some families write behind `name_end`."""
    other_ends: tuple[str, ...] = ()
    """Texts at which a call ends, too, though its own end is missing."""

    @property
    def ends(self) -> tuple[str, ...]:
        """The texts one of which tells, behind a value's closing tag, that the value ends there."""
        return (self.key, self.call_end, *self.other_ends)

    def gap(self, lark: Lark) -> str:
        """What is written between two tags, as Lark items."""
        return self.separated(self.separator, lark)

    def separated(self, text: str, lark: Lark) -> str:
        """White space, as Lark items."""
        return f"{lark.text(text)}?" if text and self.may_omit_separator else lark.text(text)

    def name(self, function: str, lark: Lark) -> str:
        """A function's name with what stands behind it, as Lark items."""
        number = f"{lark.text(self.number[0])} /[0-9]{{1,4}}/ {lark.text(self.number[1])}" if self.number else ""
        return f"{lark.text(function + self.name_end)} {number}"

    def value_start(self, tag: ValueTag, lark: Lark) -> str:
        """What stands between an argument's name and its value, as Lark items."""
        before = self.separated(self.before_value, lark)
        return f"{lark.text(self.key_end)} {before} {lark.text(tag.opening + self.frame)}"

    def read(self, answer: Answer) -> Reading[str]:
        """Reads one call from just behind `call`; the text that ended it, nothing at the end of the answer. Raises Unreadable if there is
        none."""
        name, follower = yield from self._begin(answer)
        answer.begin_call(name)
        schema, separator = answer.arguments_schema(name), "{"
        while follower == self.key:
            follower = yield from self._argument(answer, schema, separator)
            separator = ", "
        if not follower and answer.source.is_cut:
            raise Unreadable("it is cut")
        answer.arguments("{}" if separator == "{" else "}")
        answer.end_call()
        return follower

    def _begin(self, answer: Answer) -> Reading[tuple[str, str]]:
        """The function's name and what follows it."""
        source, followers = answer.source, (self.key, self.call_end)
        yield from source.white_space()
        name = yield from _name(source, ("\n", self.name_end) if self.name_end else ("\n", *followers))
        if self.name_end:
            yield from source.expect(self.name_end)
        if self.number:
            yield from source.text_until(self.number[1])
        yield from source.white_space()
        return name, (yield from source.expect(*followers))

    def _argument(self, answer: Answer, schema: JsonObject, separator: str) -> Reading[str]:
        """Reads one argument from just behind `key`; what follows it."""
        source = answer.source
        name = yield from _name(source, ("\n", self.key_end))
        yield from source.expect(self.key_end)
        if self.before_value:
            yield from source.white_space()
        tag = yield from self._value_tag(source)
        answer.arguments(f"{separator}{json.dumps(name, ensure_ascii=False)}: ")
        types = types_of(properties(schema).get(name), schema)
        value = value_of(tag.types(types), answer.arguments, self.frame)
        return (yield from self._value(source, tag, value))

    def _value_tag(self, source: Source) -> Reading[ValueTag]:
        opening = yield from source.expect(*(tag.opening for tag in self.values))
        is_longer = any(tag.opening != opening and tag.opening.startswith(opening) for tag in self.values)
        if is_longer and source.is_cut and not source.rest:
            raise Unreadable("it is cut")  # where a longer opening may have begun
        return next(tag for tag in self.values if tag.opening == opening)

    def _value(self, source: Source, tag: ValueTag, value: Value) -> Reading[str]:
        """Reads a value; what follows its closing tag, nothing at the end of the answer."""
        closing, followers = Marks((tag.closing,)), self.ends
        while (yield from source.until(closing, value.text)):
            source.take(len(tag.closing))
            space = yield from source.white_space()
            may_end = len(space) <= MOST_SPACE_CHARACTERS and not value.is_in_string
            follower = (yield from source.accept(*followers)) if may_end else None
            if follower or (source.is_over and any(text.startswith(source.rest) for text in followers)):
                return _ended(source, value, follower or "")
            value.text(tag.closing + space)
        raise Unreadable("a value without end")


def _ended(source: Source, value: Value, follower: str) -> str:
    if not follower and source.is_cut:
        raise Unreadable("it is cut")  # and more of the value might have come
    source.take(0 if follower else len(source.rest))
    value.end()
    return follower


def _name(source: Source, ends: tuple[str, ...]) -> Reading[str]:
    """A name up to the first of these, without white space around it."""
    taken: list[str] = []
    yield from source.until(Marks(ends), taken.append)
    name = "".join(taken).strip(WHITE_SPACE)
    if len(name) > _MAX_NAME_CHARACTERS:
        raise Unreadable("a name without end")
    return name


def properties(schema: JsonObject) -> JsonObject:
    """The schemas of the arguments, by their names."""
    found = schema.get("properties")
    return found if isinstance(found, dict) else {}
