"""A call as one JSON object that has its name and its arguments as members, which many forms have in common.

Owns how far such an object may be bent: members in any order and further ones, arguments as JSON text in a string, null or left out.
Must not know what surrounds the object.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from engine.chat.reader.answer import Answer
from engine.chat.reader.source import Reading, Source, Unreadable

_MOST_WRAPPERS = 2
WITHIN_JSON = "[{,"
"""What an object stands behind that is part of another document."""


@dataclass(frozen=True)
class JsonCall:
    """The names of the members that hold the function's name, its arguments and the call's id, and of one that holds all of these.
    `is_marked`: only a call stands where one is read; else an object is one only if it has nothing but such members, a name first and
    arguments, and calls a function that is offered. `new_id`: of a call that has none; None: any will do."""

    names: tuple[str, ...] = ("name",)
    arguments: tuple[str, ...] = ("arguments", "parameters")
    ids: tuple[str, ...] = ("id",)
    wrappers: tuple[str, ...] = ("function",)
    is_marked: bool = True
    new_id: Callable[[], str | None] = lambda: None

    def read(self, answer: Answer) -> Reading[None]:
        """Reads one object. Raises Unreadable if it is no call."""
        yield from answer.source.expect("{")
        yield from self.read_members(answer)

    def read_members(self, answer: Answer, *, name: str = "") -> Reading[None]:
        """Reads the rest of an object, behind its brace, or behind the string that is the function's `name`."""
        object_ = _Members(name, separator="," if name else "")
        try:
            yield from self._members(object_, answer)
        except Unreadable:
            if answer.source.is_cut and answer.source.is_starved:
                self._begin(object_, answer)
            raise
        if not self.is_marked and not object_.has_arguments:
            raise Unreadable("it has no arguments")
        self._begin(object_, answer)
        if not object_.is_passed_on:
            answer.arguments(object_.arguments)
        if object_.call_id:
            answer.identify_call(object_.call_id)
        answer.end_call()

    def _begin(self, object_: "_Members", answer: Answer) -> None:
        if object_.name and not object_.is_begun and (self.is_marked or answer.offers(object_.name)):
            object_.is_begun = True
            answer.begin_call(object_.name, object_.call_id or self.new_id())
        if not object_.is_begun:
            raise Unreadable("it names no function")

    def _members(self, object_: "_Members", answer: Answer) -> Reading[None]:
        while not (yield from _closes(answer.source)):
            yield from answer.source.expect(object_.separator)
            yield from answer.source.white_space()
            yield from self._member(object_, answer)
            object_.separator = ","

    def _member(self, object_: "_Members", answer: Answer) -> Reading[None]:
        source = answer.source
        key = yield from read_string(source)
        yield from source.white_space()
        yield from source.expect(":")
        yield from source.white_space()
        may_wrap = key in self.wrappers and object_.wrappers < _MOST_WRAPPERS
        if may_wrap and (yield from source.accept("{")) is not None:
            object_.separator, object_.wrappers = "", object_.wrappers + 1
            yield from self._members(object_, answer)
        elif key in self.names or key in self.wrappers:
            object_.name = yield from read_string(source)
        elif key in self.arguments:
            yield from self._arguments(object_, answer)
        elif key in self.ids:
            object_.call_id = _id(_decoded((yield from _value(source))))
        else:
            yield from self._further(key, source)

    def _further(self, key: str, source: Source) -> Reading[None]:
        if not self.is_marked and key != "type":
            raise Unreadable(f"calls have no member {key}")
        yield from _value(source)

    def _arguments(self, object_: "_Members", answer: Answer) -> Reading[None]:
        """Passes them on as they come where the name is known already."""
        opening = yield from answer.source.peek()
        object_.has_arguments |= opening != ""
        if opening == "{" and object_.name and not object_.is_begun:
            self._begin(object_, answer)
            object_.is_passed_on = True
            yield from answer.source.json(answer.arguments)
            return
        text = (yield from read_string(answer.source)) if opening == '"' else (yield from _value(answer.source))
        if text != "null":
            object_.arguments = text


@dataclass
class _Members:
    """What is known of a call so far. `is_begun`: its name has been delivered, `is_passed_on`: so have been its arguments."""

    name: str = ""
    call_id: str | None = None
    arguments: str = "{}"
    separator: str = ""
    wrappers: int = 0
    has_arguments: bool = False
    is_begun: bool = False
    is_passed_on: bool = False


def _closes(source: Source) -> Reading[bool]:
    yield from source.white_space()
    return (yield from source.accept("}")) is not None


def _value(source: Source) -> Reading[str]:
    taken: list[str] = []
    yield from source.json(taken.append)
    return "".join(taken)


def read_string(source: Source) -> Reading[str]:
    """Reads a JSON string. Raises Unreadable if it is none."""
    text = yield from _value(source)
    value = _decoded(text)
    if not isinstance(value, str):
        raise Unreadable(f"{text} is no string")
    return value


def _decoded(text: str) -> object:
    try:
        return json.loads(text, strict=False)
    except ValueError as error:
        raise Unreadable("it is no JSON") from error


def _id(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) and value != "" else None
