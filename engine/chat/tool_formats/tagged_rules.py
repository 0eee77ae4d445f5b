"""The grammar of one call that is written as tags: each argument with a value as its schema wants it.

Owns the order of arguments, the schema's, and which may be left out. Strings are bare text, all other values `%json`. Must not know blocks,
nor how calls are read.
"""

from typing import Any

from engine.chat.grammars.lark import SPACED, TEXT, Lark
from engine.chat.tool_formats.form import CallableTool
from engine.chat.tool_formats.held_keywords import OF_ARGUMENTS, check_held, takes_anything
from engine.chat.tool_formats.tags import TYPES, Tags, ValueTag, properties
from engine.chat.tool_formats.text_rules import text_terminal
from engine.chat.tool_formats.typed_value import types_of

_ANY_NAME = r"/[A-Za-z0-9_.\-]+/"


def tool_rule(tags: Tags, number: int, tool: CallableTool, lark: Lark) -> str:
    """What stands behind `tags.call` up to the end of a call of this tool; `number` is for the names of its rules."""
    schema = tool.arguments_schema
    if tool.is_strict:
        check_held(schema, OF_ARGUMENTS)
    start = f"{tags.name(tool.name, lark)} {tags.gap(lark)}"
    if takes_anything(schema, is_strict=tool.is_strict):
        return f"{start} {_free(tags, lark)}"
    return f"{start} ({_Arguments(tags, number, tool, lark).following(0)})"


def _free(tags: Tags, lark: Lark) -> str:
    """Any arguments."""
    lark.rule("any_argument", f"{_ANY_NAME} ({' | '.join(_free_value(tags, tag, lark) for tag in tags.values)})")
    return f"({lark.text(tags.key)} any_argument | {lark.text(tags.call_end)})"


def _free_value(tags: Tags, tag: ValueTag, lark: Lark) -> str:
    start = tags.value_start(tag, lark)
    if tag.is_text is False:
        following = f"({lark.text(tags.key)} any_argument | {lark.text(tags.call_end)})"
        any_json = lark.json({"type": sorted(tag.json_types)}, spacing=SPACED)
        return f"{start} {any_json} {lark.text(tags.frame + tag.closing)} {tags.gap(lark)} {following}"
    text = lark.rule("FREE_TEXT", lark.regex(tag.texts)) if tag.texts else TEXT
    value = lark.until_followed(tag.closing, {tags.key: "any_argument", tags.call_end: ""}, text, ends=tags.ends)
    return f"{start} ({value})"


class _Arguments:
    """The rules of one tool's arguments. Each reaches to the end of the call, for what follows a text tells where it ends."""

    def __init__(self, tags: Tags, number: int, tool: CallableTool, lark: Lark) -> None:
        self._tags, self._number, self._tool, self._lark = tags, number, tool, lark
        self._schema = tool.arguments_schema
        self._required = {name for name in self._schema.get("required") or () if isinstance(name, str)}
        self._schemas: dict[str, Any] = {**properties(self._schema)}
        self._schemas |= dict.fromkeys(sorted(self._required - self._schemas.keys()), True)
        for place, (name, schema) in enumerate(self._schemas.items()):
            self._lark.rule(f"argument_{number}_{place}", self._argument(place, name, schema))

    def following(self, place: int) -> str:
        """Alternatives for what stands behind a value and before the argument at `place`, with all that follows."""
        keyed = self._keyed(place)
        key = f"{self._lark.text(self._tags.key)} ({keyed})" if keyed else ""
        end = self._lark.text(self._tags.call_end) if self._may_end(place) else ""
        return " | ".join(filter(None, (key, end)))

    def _keyed(self, place: int) -> str:
        """The arguments of which one may come next: up to the first that is required."""
        names = list(self._schemas)[place:]
        most = next((skipped + 1 for skipped, name in enumerate(names) if name in self._required), len(names))
        return " | ".join(f"argument_{self._number}_{place + skipped}" for skipped in range(most))

    def _may_end(self, place: int) -> bool:
        return self._required.isdisjoint(list(self._schemas)[place:])

    def _argument(self, place: int, name: str, schema: Any) -> str:
        values = (self._value(place, schema, tag) for tag in self._tags.values)
        return f"{self._lark.text(name)} ({' | '.join(filter(None, values))})"

    def _value(self, place: int, schema: Any, tag: ValueTag) -> str:
        """The value behind this opening and all that follows; nothing if it can't stand there."""
        types = types_of(schema, self._schema)
        start = self._tags.value_start(tag, self._lark)
        has_text = types is None or "string" in types
        if tag.is_text or (tag.is_text is None and has_text):
            return f"{start} ({self._text(place, schema, tag)})" if has_text else ""
        json_types = (types or TYPES) & tag.json_types
        return f"{start} {self._json(place, schema, tag, json_types)}" if json_types else ""

    def _text(self, place: int, schema: Any, tag: ValueTag) -> str:
        lark, tags = self._lark, self._tags
        kept = text_terminal(schema, self._schema, is_strict=self._tool.is_strict)
        bodies = [f"({body})" for body in (kept, tag.texts and lark.regex(tag.texts)) if body]
        text = TEXT
        if bodies:
            frame = f" {lark.literal(tags.frame)}" if tags.frame else ""
            name = f"TEXT_{self._number}_{place}_{tags.values.index(tag)}"
            text = lark.rule(name, f"({' & '.join(bodies)}){frame}")
        keyed = self._keyed(place + 1)
        followers = {tags.key: f"({keyed})"} if keyed else {}
        followers |= {tags.call_end: ""} if self._may_end(place + 1) else {}
        return lark.until_followed(tag.closing, followers, text, ends=tags.ends)

    def _json(self, place: int, schema: Any, tag: ValueTag, types: frozenset[str]) -> str:
        lark, tags = self._lark, self._tags
        whole = schema if isinstance(schema, dict) else {}
        if types != types_of(schema, self._schema):
            whole = {**whole, "type": sorted(types)}
        whole = {**whole, **{key: self._schema[key] for key in ("$defs", "definitions") if key in self._schema}}
        json = lark.json(whole, spacing=SPACED, lenient=not self._tool.is_strict)
        return f"{json} {lark.text(tags.frame + tag.closing)} {tags.gap(lark)} ({self.following(place + 1)})"
