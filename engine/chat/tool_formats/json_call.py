"""A call as one JSON object that has its name and its arguments as members, which many forms have in common.

Owns how far such an object may be bent: members in any order and further ones, arguments as JSON text in a string, null or left out.
Must not know what surrounds the object.
"""

import json
from dataclasses import dataclass

from engine.chat.answer import Answer
from engine.chat.source import Reading, Source, Unreadable


@dataclass(frozen=True)
class JsonCall:
    """The names of the members that hold the function's name, its arguments and the call's id."""

    names: tuple[str, ...] = ("name",)
    arguments: tuple[str, ...] = ("arguments", "parameters")
    ids: tuple[str, ...] = ("id",)

    def read(self, answer: Answer) -> Reading[None]:
        """Reads one object. Raises Unreadable if it is no call."""
        object_ = _Members()
        yield from answer.source.expect("{")
        separator = ""
        while not (yield from _closes(answer.source)):
            yield from answer.source.expect(separator)
            yield from answer.source.white_space()
            yield from self._member(object_, answer)
            separator = ","
        if not object_.is_begun:
            answer.begin_call(object_.name, object_.call_id)
            answer.arguments(object_.arguments)
        answer.end_call()

    def _member(self, object_: "_Members", answer: Answer) -> Reading[None]:
        source = answer.source
        key = yield from _string(source)
        yield from source.white_space()
        yield from source.expect(":")
        yield from source.white_space()
        if key in self.names:
            object_.name = yield from _string(source)
        elif key in self.arguments:
            yield from self._arguments(object_, answer)
        elif key in self.ids:
            object_.call_id = _id(json.loads((yield from _value(source)), strict=False))
        else:
            yield from _value(source)

    def _arguments(self, object_: "_Members", answer: Answer) -> Reading[None]:
        """Passes them on as they come where the name is known already."""
        opening = yield from answer.source.peek()
        if opening == "{" and object_.name and not object_.is_begun:
            answer.begin_call(object_.name, object_.call_id)
            object_.is_begun = True
            yield from answer.source.json(answer.arguments)
            return
        text = (yield from _string(answer.source)) if opening == '"' else (yield from _value(answer.source))
        if text != "null":
            object_.arguments = text


@dataclass
class _Members:
    """What is known of a call so far. `is_begun`: it has been delivered up to its arguments."""

    name: str = ""
    call_id: str | None = None
    arguments: str = "{}"
    is_begun: bool = False


def _closes(source: Source) -> Reading[bool]:
    yield from source.white_space()
    return (yield from source.accept("}")) is not None


def _value(source: Source) -> Reading[str]:
    taken: list[str] = []
    yield from source.json(taken.append)
    return "".join(taken)


def _string(source: Source) -> Reading[str]:
    text = yield from _value(source)
    try:
        value = json.loads(text, strict=False)
    except ValueError as error:
        raise Unreadable("it is no JSON") from error
    if not isinstance(value, str):
        raise Unreadable(f"{text} is no string")
    return value


def _id(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) and value != "" else None
