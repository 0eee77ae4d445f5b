"""The grammar of MiniMax-M3's arguments: elements within elements, as the schema nests.

Owns how a schema becomes Lark there; numbers and literals are left to `%json`. Must not know what surrounds a call's arguments.
"""

from typing import Any

from engine.chat.grammars.lark import TEXT, Lark
from engine.chat.tool_formats.form import CallableTool
from engine.chat.tool_formats.held_keywords import OF_ARRAYS, OF_OBJECTS, check_held
from engine.chat.tool_formats.text_rules import text_terminal
from engine.chat.tool_formats.typed_value import resolved, types_of
from engine.request import JsonObject

MARK = "]<]minimax[>["
ITEM = "item"


def arguments_rule(tool: CallableTool, number: int, lark: Lark) -> str:
    """The elements of one tool's arguments; `number` is for the names of the rules."""
    return _Elements(tool, number, lark).members(tool.arguments_schema)


class _Elements:
    """The rules of one tool's elements: one for each schema within its schema and name, so that one that refers to itself has an end."""

    def __init__(self, tool: CallableTool, number: int, lark: Lark) -> None:
        self._root, self._is_strict = tool.arguments_schema, tool.is_strict
        self._number, self._lark = number, lark
        self._names: dict[tuple[int, str], str] = {}

    def members(self, schema: JsonObject) -> str:
        """The members of an object valid under the schema."""
        self._check(schema, OF_OBJECTS)
        known = schema.get("properties") or {}
        required = [name for name in schema.get("required") or () if isinstance(name, str)]
        schemas = {**known, **{name: {"type": "string"} for name in required if name not in known}}
        elements = [(name, self._element(name, inner)) for name, inner in schemas.items()]
        return f"({self._lark.in_order(elements, set(required), '')})"

    def _element(self, name: str, schema: Any) -> str:
        """The name of the rule for an element with any value that the schema allows."""
        schema = schema if isinstance(schema, dict) else {}
        if "$ref" in schema:
            return self._element(name, resolved(schema["$ref"], self._root))
        key = (id(schema), name)
        if key not in self._names:
            self._names[key] = f"element_{self._number}_{len(self._names)}"
            items = f"{self._lark.text(f'{MARK}<{name}>')} ({self._value(name, schema)})"
            self._lark.rule(self._names[key], items)
        return self._names[key]

    def _value(self, name: str, schema: JsonObject) -> str:
        """A value and the element's end."""
        types, end = types_of(schema, self._root), self._lark.text(f"{MARK}</{name}>")
        if types is None or "string" in types:
            return self._text(name, schema)
        kinds = []
        if "object" in types:
            kinds.append(f"{self.members(schema)} {end}")
        if "array" in types:
            self._check(schema, OF_ARRAYS)
            kinds.append(f"{self._element(ITEM, schema.get('items', True))}* {end}")
        scalars = sorted(types - {"object", "array"})
        if scalars:
            value = self._lark.json({**schema, "type": scalars}, lenient=not self._is_strict)
            kinds.append(f"{value} {end}")
        return " | ".join(kinds)

    def _text(self, name: str, schema: JsonObject) -> str:
        body = text_terminal(schema, self._root, is_strict=self._is_strict) or TEXT
        return self._lark.until_closed(f"{MARK}</{name}>", body, mark=MARK)

    def _check(self, schema: JsonObject, held: set[str]) -> None:
        if self._is_strict:
            check_held(schema, held)
