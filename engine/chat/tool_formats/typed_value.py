"""A call's argument that a model wrote as bare text: what it is as JSON, which only the tool's schema tells.

Owns which types a schema allows and how text becomes JSON by them: where a string is wanted it stays as it is, everything else is JSON, or
a literal as Python writes it. Must not know how families mark arguments.
"""

import json
from collections.abc import Iterable
from functools import reduce
from typing import Any

import msgspec

from engine.chat.reader.json_text import JsonScanner, NotJson
from engine.chat.reader.source import WHITE_SPACE, Emit, Unreadable
from engine.chat.tool_formats.python_literal import as_json, literal_in
from engine.request import JsonObject

Types = frozenset[str] | None
"""Names of JSON types; None for all of them."""

STRING: Types = frozenset({"string"})
_MAX_REFERENCES = 16


def types_of(schema: Any, root: JsonObject, references: int = 0) -> Types:
    """The types that a schema allows; `root` is the document in which its references stand."""
    if not isinstance(schema, dict) or references > _MAX_REFERENCES:
        return None
    found = [_named(schema)]
    if "$ref" in schema:
        found.append(types_of(resolved(schema["$ref"], root), root, references + 1))
    branches = (schema[keyword] for keyword in ("anyOf", "oneOf") if isinstance(schema.get(keyword), list))
    found += [_either(types_of(part, root, references + 1) for part in parts) for parts in branches]
    found += [types_of(part, root, references + 1) for part in schema.get("allOf") or ()]
    return reduce(_both, found)


def resolved(reference: Any, root: JsonObject) -> Any:
    """The schema that a reference within the document names; True, which allows everything, if it names none there."""
    target: Any = root
    for step in str(reference).removeprefix("#").split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        target = target.get(name, True) if isinstance(target, dict) else True
    return target


def _named(schema: JsonObject) -> Types:
    named = schema.get("type")
    if named is not None:
        return frozenset([named] if isinstance(named, str) else named)
    values = schema.get("enum", [schema["const"]] if "const" in schema else None)
    return frozenset(map(_type_of, values)) if isinstance(values, list) else None


def _either(types: Iterable[Types]) -> Types:
    """All types that one of these allows."""
    found: frozenset[str] = frozenset()
    for some in types:
        if some is None:
            return None
        found |= some
    return found


def _both(types: Types, others: Types) -> Types:
    if types is None or others is None:
        return others if types is None else types
    return types & others


def _type_of(value: Any) -> str:
    if isinstance(value, bool | None):
        return "null" if value is None else "boolean"
    names = {str: "string", int: "integer", float: "number", list: "array", dict: "object"}
    return names[type(value)]


class TextValue:
    """A string: emitted as JSON while it comes. `frame`: what the family writes around values; once at each end it is no part of one."""

    is_in_string = False
    """Bare text has no quotes around it."""

    def __init__(self, emit: Emit, frame: str = "") -> None:
        self._emit = emit
        self._frame = frame
        self._is_begun = False
        self._held = ""

    def text(self, text: str) -> None:
        """More of it; the end is held back while it may be the frame."""
        text = self._held + text
        if not self._is_begun:
            if len(text) < len(self._frame):
                self._held = text
                return
            text = text.removeprefix(self._frame)
            self._emit('"')
            self._is_begun = True
        self._held = self._frame if self._frame and text.endswith(self._frame) else ""
        if certain := text.removesuffix(self._held):
            self._emit(_escaped(certain))

    def end(self) -> None:
        """It is complete."""
        self._emit('"' if self._is_begun else f'"{_escaped(self._held)}"')


class JsonValue:
    """A value of other types, or one whose type shows at its end. `types`: those it may have."""

    def __init__(self, emit: Emit, types: Types, frame: str = "") -> None:
        self._emit = emit
        self._types = types
        self._frame = frame
        self._taken: list[str] = []
        self._scanner = JsonScanner() if types is not None and "string" not in types else None

    @property
    def is_in_string(self) -> bool:
        """Whether it is a list or an object, and has come to within a string, which may speak of tags."""
        return self._scanner is not None and self._scanner.is_in_string

    def text(self, text: str) -> None:
        """More of it."""
        self._taken.append(text)
        self._scan(text)

    def end(self) -> None:
        """It is complete, and emitted: as text if it is no value of any of the types."""
        text = "".join(self._taken)
        self._emit(_json(text.strip(WHITE_SPACE), self._types) or _quoted(text, self._frame))

    def _scan(self, text: str) -> None:
        """Follows JSON as long as it is some."""
        try:
            if self._scanner and self._scanner.feed(text) is not None:
                self._scanner = None
        except NotJson:
            self._scanner = None


Value = TextValue | JsonValue


def value_of(types: Types, emit: Emit, frame: str = "") -> Value:
    """Reads a value of one of these types."""
    return TextValue(emit, frame) if types == STRING else JsonValue(emit, types, frame)


def _json(text: str, types: Types) -> str | None:
    """The text as JSON; None if it is none, or should rather be a string."""
    try:
        type_ = _type_of(msgspec.json.decode(text))
    except (msgspec.DecodeError, RecursionError):
        return None if types is None or "string" in types else _as_python_writes(text)
    if types is None or "string" not in types:
        return text
    is_wanted = type_ in types or (type_ == "integer" and "number" in types)
    return text if is_wanted and type_ != "string" else None


def _as_python_writes(text: str) -> str | None:
    """Templates show models `True` and `{'a': None}` where they forget to ask for JSON."""
    try:
        return as_json(literal_in(text))
    except Unreadable:
        return None


def _quoted(text: str, frame: str) -> str:
    pieces: list[str] = []
    value = TextValue(pieces.append, frame)
    value.text(text)
    value.end()
    return "".join(pieces)


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]
