"""The grammar of Gemma 4's values: JSON but for bare keys, which stand in alphabetical order, and strings between marks of their own.

Owns how a schema becomes Lark there; numbers and literals are left to `%json`. Must not know what surrounds a call's arguments.
"""

from typing import Any

from engine.chat.grammars.lark import TEXT, Lark
from engine.chat.tool_formats.form import CallableTool
from engine.chat.tool_formats.held_keywords import OF_ARRAYS, OF_OBJECTS, check_held, takes_anything
from engine.chat.tool_formats.text_rules import text_terminal
from engine.chat.tool_formats.typed_value import resolved, types_of
from engine.request import JsonObject

QUOTE = '<|"|>'
_SCALARS = ("number", "integer", "boolean", "null")
_KEY = r"/[A-Za-z_][A-Za-z0-9_.\-]*/"


def arguments_rule(tool: CallableTool, number: int, lark: Lark) -> str:
    """The arguments of one tool's call; `number` is for the names of the rules."""
    return _Values(tool, number, lark).object(tool.arguments_schema)


class _Values:
    """The rules of one tool's values: one for each schema in its schema, so that one that refers to itself has an end."""

    def __init__(self, tool: CallableTool, number: int, lark: Lark) -> None:
        self._root, self._is_strict = tool.arguments_schema, tool.is_strict
        self._number, self._lark = number, lark
        self._names: dict[int, str] = {}

    def object(self, schema: JsonObject) -> str:
        """An object valid under the schema."""
        self._check(schema, OF_OBJECTS)
        known = schema.get("properties") or {}
        required = set(schema.get("required") or ())
        names = sorted({*known, *required}, key=str.lower)
        if takes_anything(schema, is_strict=self._is_strict):
            return self._free_object()
        members = [(name, f"{self._lark.text(f'{name}:')} {self.value(known.get(name, True))}") for name in names]
        inner = self._lark.in_order(members, required, '","')
        return f'"{{" ({inner}) "}}"'

    def value(self, schema: Any) -> str:
        """The name of the rule for any value that the schema allows."""
        schema = schema if isinstance(schema, dict) else {}
        if id(schema) not in self._names or not schema:
            name = f"value_{self._number}_{len(self._names)}"
            self._names[id(schema)] = name
            self._lark.rule(name, self._alternatives(schema))
            return name
        return self._names[id(schema)]

    def _alternatives(self, schema: JsonObject) -> str:
        if "$ref" in schema:
            return self.value(resolved(schema["$ref"], self._root))
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                self._check(schema, {keyword})
                return " | ".join(map(self.value, schema[keyword]))
        types = types_of(schema, self._root)
        if types is None:
            return self._any()
        kinds = (self._of_type(type_, schema) for type_ in ("string", "object", "array") if type_ in types)
        return " | ".join(filter(None, (*kinds, self._scalar(schema, types))))

    def _of_type(self, type_: str, schema: JsonObject) -> str:
        if type_ == "string":
            return self._string(schema)
        return self.object(schema) if type_ == "object" else self._array(schema)

    def _string(self, schema: JsonObject) -> str:
        body = text_terminal(schema, self._root, is_strict=self._is_strict) or TEXT
        return f"{self._lark.text(QUOTE)} {self._lark.until_closed(QUOTE, body, mark=QUOTE)}"

    def _array(self, schema: JsonObject) -> str:
        self._check(schema, OF_ARRAYS)
        item = self.value(schema.get("items", True))
        return f'"[" ({item} ("," {item})*)? "]"'

    def _scalar(self, schema: JsonObject, types: frozenset[str]) -> str:
        wanted = [type_ for type_ in _SCALARS if type_ in types]
        if not wanted:
            return ""
        values = schema.get("enum", [schema["const"]] if "const" in schema else None)
        if values is not None:
            scalars = [value for value in values if not isinstance(value, str | list | dict)]
            return self._lark.json({"enum": scalars}) if scalars else ""
        return self._lark.json({**schema, "type": wanted}, lenient=not self._is_strict)

    def _free_object(self) -> str:
        value = self._any()
        return f'"{{" ({_KEY} ":" {value} ("," {_KEY} ":" {value})*)? "}}"'

    def _any(self) -> str:
        """Any value."""
        scalar = self._lark.json({"type": list(_SCALARS)})
        string = self._string({})
        lark = self._lark
        lark.rule("any_object", f'"{{" ({_KEY} ":" any_value ("," {_KEY} ":" any_value)*)? "}}"')
        lark.rule("any_array", '"[" (any_value ("," any_value)*)? "]"')
        return lark.rule("any_value", f"{string} | any_object | any_array | {scalar}")

    def _check(self, schema: JsonObject, held: set[str]) -> None:
        if self._is_strict:
            check_held(schema, held)
