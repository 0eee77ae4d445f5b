"""An answer being read: the text still to come, and the pieces found so far.

Owns what a reader may deliver, and when: the pieces of a call that may still turn out to be none are held back until it is complete. Must
not know how anything is marked or spelled.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from uuid import uuid4

import msgspec

from engine.chat.reader.source import Source, Unreadable
from engine.request import JsonObject

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Content:
    """Text for the reader; never empty."""

    text: str


@dataclass(frozen=True)
class Reasoning:
    """What the model thinks before it answers; never empty."""

    text: str


@dataclass(frozen=True)
class CallPiece:
    """More of call number `number`: its unique `id` and its `name` once, at its beginning, and pieces of the JSON text of its arguments."""

    number: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""


Piece = Content | Reasoning | CallPiece


class Answer:
    """What is read and what it brought. `is_certain`: calls are held to their form while they are written, so each of their pieces may be
    delivered at once (`is_held_back`: not so those read now). `schemas`: what the arguments of each offered function are to be, by its
    name.

    `complete_calls` have come to their end; `has_cut_call`: another one, delivered as far as it goes, has not.

    Who reads thinking says so: `is_reasoning` while the next text belongs to it, `closes_reasoning`: the text that would end it,
    `may_be_calls`: asks whether its end is nothing but calls, so that it would be over if no more of it came."""

    def __init__(self, *, is_certain: bool = False, schemas: Mapping[str, JsonObject] | None = None) -> None:
        self.source = Source()
        self.is_reasoning = False
        self.closes_reasoning = ""
        self.may_be_calls: Callable[[], bool] = lambda: False
        self.complete_calls = 0
        self.has_cut_call = False
        self.is_held_back = not is_certain
        self._is_certain = is_certain
        self._schemas = schemas or {}
        self._pieces: list[Piece] = []
        self._call: _Call | None = None
        self._calls = 0
        self._ids: set[str] = set()

    def another(self) -> "Answer":
        """A new answer by a model that was offered the same."""
        return Answer(schemas=self._schemas)

    def take_pieces(self) -> list[Piece]:
        """Those found since the last time."""
        pieces, self._pieces = self._pieces, []
        return pieces

    def arguments_schema(self, function: str) -> JsonObject:
        """What the arguments of an offered function are to be valid under; of another one, anything."""
        return self._schemas.get(function, {})

    def parameters(self, function: str) -> JsonObject:
        """The schema of each argument of an offered function, by its name."""
        found = self.arguments_schema(function).get("properties")
        return found if isinstance(found, dict) else {}

    def offers(self, function: str) -> bool:
        """Whether a function of this name is offered, as far as is known."""
        return not self._schemas or function in self._schemas

    @property
    def offered(self) -> tuple[str, ...]:
        """The names of the offered functions, as far as they are known."""
        return tuple(self._schemas)

    def first_offered(self, *functions: str) -> str | None:
        """The first of some functions that is offered, if any is."""
        return next(filter(self.offers, functions), None)

    def trust(self, *, is_certain: bool) -> None:
        """Whether the calls read from here on are held to their form where this answer's calls are: not all of their openings are."""
        self.is_held_back = not (self._is_certain and is_certain)

    def content(self, text: str) -> None:
        """Text for the reader."""
        if text:
            self._pieces.append(Content(text))

    def reasoning(self, text: str) -> None:
        """Text of the model's thinking."""
        if text:
            self._pieces.append(Reasoning(text))

    def begin_call(self, name: str, call_id: str | None = None) -> None:
        """A call of a function; its id where the model gave one. Raises Unreadable for what can be no function's name."""
        if not name or _LONE_SURROGATE.search(name):
            raise Unreadable(f"{name!r} is no function's name")
        self._call = _Call(CallPiece(self._calls, self._unique(call_id), name))
        if not self.is_held_back:
            self._deliver(self._call.opening)

    def identify_call(self, call_id: str) -> None:
        """The open call's id, which the model gave behind the name: too late if that is delivered already."""
        assert self._call is not None
        if self.is_held_back and call_id != self._call.opening.id:
            self._call.opening = replace(self._call.opening, id=self._unique(call_id))

    def arguments(self, text: str) -> None:
        """More of the JSON text of the open call's arguments."""
        assert self._call is not None
        self._call.arguments.append(text)
        if not self.is_held_back:
            self._deliver(CallPiece(self._call.opening.number, arguments=text))

    def end_call(self) -> None:
        """The open call is complete, and the text up to here is used up. Raises Unreadable if its arguments are no JSON object."""
        assert self._call is not None
        if self.is_held_back:
            arguments = _spelled_right("".join(self._call.arguments))
            self._deliver(replace(self._call.opening, arguments=arguments))
        self._call = None
        self.complete_calls += 1
        self.source.keep()

    def call(self, name: str, arguments_json: str = "{}", call_id: str | None = None) -> None:
        """A whole call."""
        self.begin_call(name, call_id)
        self.arguments(arguments_json)
        self.end_call()

    def abandon_call(self, *, is_cut: bool) -> bool:
        """The open call, if any, does not come to its end; whether some of it has been delivered. It is, as far as it goes, if `is_cut`."""
        call, self._call = self._call, None
        if call is None:
            return False
        if is_cut and self.is_held_back:
            self._deliver(replace(call.opening, arguments="".join(call.arguments)))
        self.has_cut_call |= is_cut
        return is_cut or not self.is_held_back

    def _unique(self, call_id: str | None) -> str:
        """The model's own id, unless it repeats itself."""
        own = call_id if call_id and call_id not in self._ids and not _LONE_SURROGATE.search(call_id) else None
        unique = own or f"call_{uuid4().hex}"
        self._ids.add(unique)
        return unique

    def _deliver(self, piece: CallPiece) -> None:
        self._calls = piece.number + 1
        self._pieces.append(piece)


class _Call:
    """The call that is being read."""

    def __init__(self, opening: CallPiece) -> None:
        self.opening = opening
        self.arguments: list[str] = []


def _spelled_right(arguments_json: str) -> str:
    """The text itself if it is a JSON object; with raw line breaks in its strings escaped if it is one but for these."""
    try:
        msgspec.json.decode(arguments_json, type=dict)
    except msgspec.DecodeError:
        try:
            value = json.loads(arguments_json, strict=False)
            text = json.dumps(value, allow_nan=False)
            msgspec.json.decode(text, type=dict)
        except ValueError as error:
            raise Unreadable("the arguments are no JSON object") from error
        return text
    return arguments_json
