"""Finds out, before a conversation is rendered, whether its template shows all of it, and if not how to fold it.

A conversation's skeleton - its roles and calls, with marks for texts, repetitions left out - is rendered first; a mark that is not in the
prompt is text that would be lost. What was found holds for all conversations of that shape. Must not know what a fold does.
"""

import itertools
import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from engine.chat.prompts.folding import Fold
from engine.chat.prompts.template import TemplateError, TemplateRefusal
from engine.request import JsonObject

Render = Callable[[list[JsonObject]], str]
Shape = tuple[Any, ...]

_MAX_KNOWN = 512
_LIMIT_SECONDS = 1.0
_LONG_ID = "call_0123456789abcdef{:03}"
_SHORT_ID = "qzcall{:03}"
_SHORT = re.compile(r"[a-zA-Z0-9]{9}")
_MARK = "qzm{}x"
_NAME = "qzn{}x"


class NotShown(Exception):
    """The template can't be made to show these messages. The text is the template's own complaint, or says what it leaves out."""


class Plan(NamedTuple):
    """What to do with a conversation. `nameless`: the numbers of the messages whose texts the prompt then shows, but not their names."""

    folds: tuple[Fold, ...]
    nameless: tuple[int, ...] = ()


class _Found(NamedTuple):
    """What holds for all conversations of one shape: the folds, and the shapes of messages whose names are not shown."""

    folds: tuple[Fold, ...]
    nameless: frozenset[Shape]


class Rehearsals:
    """What is known of one template's ways with conversations; for any thread."""

    def __init__(self, folds: Sequence[Fold]) -> None:
        self._folds = folds
        self._known: dict[Any, _Found | NotShown] = {}

    def plan(self, messages: Sequence[JsonObject], variables: Any, render: Render) -> Plan:
        """The mildest folds under which `render` shows all of a conversation like `messages`; NotShown if there are none.

        `variables`: JSON values for whatever else `render` depends on.
        """
        shapes = [_shape(message) for message in messages]
        kept = _without_repetitions(shapes)
        key = (tuple(shapes[number] for number in kept), json.dumps(variables, sort_keys=True))
        if key not in self._known:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[key] = self._search([messages[number] for number in kept], kept, render)
        found = self._known[key]
        if isinstance(found, NotShown):
            raise NotShown(*found.args)
        return Plan(found.folds, tuple(number for number, shape in enumerate(shapes) if shape in found.nameless))

    def _search(self, messages: list[JsonObject], numbers: list[int], render: Render) -> _Found | NotShown:
        skeleton, marks = _skeleton(messages)
        deadline = time.thread_time() + _LIMIT_SECONDS
        complaint = ""
        for plan in _plans(self._folds, skeleton):
            folded = _folded(plan, skeleton)
            if folded is None:
                continue
            wrong = _rehearse(folded, marks, numbers, render)
            if wrong is None:
                return _Found(
                    plan, frozenset(_shape(messages[number]) for number in _nameless(skeleton, folded, render))
                )
            complaint = complaint or wrong
            if time.thread_time() > deadline:
                break
        return NotShown(complaint)


def _plans(folds: Sequence[Fold], skeleton: list[JsonObject]) -> Iterator[tuple[Fold, ...]]:
    """What may be tried, the mildest first: nothing, then any of the folds that have something to do."""
    yield ()
    useful = [fold for fold in folds if fold.follows_others or fold.apply(skeleton) != skeleton]
    subsets = (subset for size in range(1, len(useful) + 1) for subset in itertools.combinations(useful, size))
    yield from sorted(subsets, key=lambda subset: (sum(fold.cost for fold in subset), len(subset)))


def _folded(plan: Sequence[Fold], messages: list[JsonObject]) -> list[JsonObject] | None:
    """None where a fold has nothing to do: the plan without it comes to the same."""
    for fold in plan:
        folded = fold.apply(messages)
        if folded == messages:
            return None
        messages = folded
    return messages


def _rehearse(
    messages: list[JsonObject], marks: Sequence[tuple[str, int]], numbers: Sequence[int], render: Render
) -> str | None:
    """What is wrong with the prompt for a skeleton; None if nothing is."""
    try:
        prompt = render(messages)
    except (TemplateRefusal, TemplateError) as error:
        return str(error)
    for mark, index in marks:
        place = prompt.find(mark)
        if place < 0:
            return f"it leaves out what message {numbers[index]} says"
        if _is_printed_part(prompt, place):
            return f"it takes no list of parts as the content of message {numbers[index]}"
    return None


def _nameless(skeleton: list[JsonObject], folded: list[JsonObject], render: Render) -> list[int]:
    """Which messages have names that are not in the prompt."""
    names = [(number, message["name"]) for number, message in enumerate(skeleton) if is_named(message)]
    prompt = render(folded) if names else ""
    return [number for number, name in names if name not in prompt]


def is_named(message: JsonObject) -> bool:
    """Whether a message says who speaks: a tool's name says what was called."""
    return bool(message.get("name")) and message["role"] != "tool"


def _is_printed_part(prompt: str, place: int) -> bool:
    """Whether a part of a content was written out as the object that it is."""
    before = prompt[max(0, place - 9) : place].replace('"', "'").replace(" ", "")
    return before.endswith("'text':'")


def _shape(message: JsonObject) -> Shape:
    """All that a template could tell two messages apart by, but for their texts."""
    content, calls = message.get("content"), message.get("tool_calls") or ()
    if isinstance(content, list):
        kind: Any = tuple(part.get("type") for part in content)
    else:
        kind = content if content is None else bool(content.strip())
    return (
        message["role"],
        kind,
        tuple((_id_kind(call.get("id")), type(call["function"].get("arguments")).__name__) for call in calls),
        _id_kind(message.get("tool_call_id")),
        tuple(sorted(key for key in message if key not in {"role", "content", "tool_calls", "tool_call_id"})),
    )


def _id_kind(given: Any) -> str:
    if not given:
        return ""
    return "short" if _SHORT.fullmatch(given) else "long"


def _without_repetitions(shapes: Sequence[Shape]) -> list[int]:
    """The messages whose skeleton shows what that of all would: of rounds that repeat one another, the first and the last.

    Turns begin with the user; within them, rounds begin with the assistant.
    """
    turns = _split(range(len(shapes)), lambda number: shapes[number][0] == "user")
    short_turns = [_short_turn(turn, shapes) for turn in turns]
    return [number for turn in _ends_of_runs(short_turns, shapes) for number in turn]


def _short_turn(turn: list[int], shapes: Sequence[Shape]) -> list[int]:
    rounds = _split(turn, lambda number: shapes[number][0] == "assistant")
    return [number for each in _ends_of_runs(rounds, shapes) for number in each]


def _split(numbers: Sequence[int], begins: Callable[[int], bool]) -> list[list[int]]:
    pieces: list[list[int]] = []
    for number in numbers:
        if begins(number) or not pieces:
            pieces.append([])
        pieces[-1].append(number)
    return pieces


def _ends_of_runs(pieces: list[list[int]], shapes: Sequence[Shape]) -> Iterator[list[int]]:
    """Of pieces of one shape in a row, the first and the last."""
    for _, run in itertools.groupby(pieces, key=lambda piece: [shapes[number] for number in piece]):
        same = list(run)
        yield from same[:1] if len(same) == 1 else (same[0], same[-1])


def _skeleton(messages: Sequence[JsonObject]) -> tuple[list[JsonObject], list[tuple[str, int]]]:
    """The messages with marks in place of texts, and each mark with the index of its message."""
    drawn = _Drawing()
    return [drawn.message(message, index) for index, message in enumerate(messages)], drawn.marks


class _Drawing:
    """A skeleton under construction."""

    def __init__(self) -> None:
        self.marks: list[tuple[str, int]] = []
        self._ids: dict[str, str] = {}

    def message(self, message: JsonObject, index: int) -> JsonObject:
        """The skeleton of one message."""
        drawn = {key: "probe" if isinstance(value, str) else value for key, value in message.items()}
        drawn["role"] = message["role"]
        if is_named(message):
            drawn["name"] = _NAME.format(index)
        if "content" in message:
            drawn["content"] = self._content(message["content"], index)
        if message.get("tool_calls"):
            drawn["tool_calls"] = [self._call(call, index) for call in message["tool_calls"]]
        if message.get("tool_call_id"):
            drawn["tool_call_id"] = self._id(message["tool_call_id"])
        return drawn

    def _mark(self, index: int) -> str:
        self.marks.append((_MARK.format(len(self.marks)), index))
        return self.marks[-1][0]

    def _content(self, content: Any, index: int) -> Any:
        if isinstance(content, list):
            return [self._part(part, index) for part in content]
        return self._mark(index) if content and content.strip() else content

    def _part(self, part: JsonObject, index: int) -> JsonObject:
        if part.get("type") == "text":
            return {**part, "text": self._mark(index) if part["text"].strip() else part["text"]}
        return {key: value if key == "type" else "probe" for key, value in part.items()}

    def _call(self, call: JsonObject, index: int) -> JsonObject:
        mark = self._mark(index)
        as_text = isinstance(call["function"].get("arguments"), str)
        arguments = json.dumps({"place": mark}) if as_text else {"place": mark}
        identity = {"id": self._id(call["id"])} if call.get("id") else {}
        return {**call, **identity, "function": {"name": "probe", "arguments": arguments}}

    def _id(self, given: str) -> str:
        pattern = _SHORT_ID if _SHORT.fullmatch(given) else _LONG_ID
        return self._ids.setdefault(given, pattern.format(len(self._ids)))
