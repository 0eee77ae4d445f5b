"""The form of MiniMax-M3: each argument is an element of its name, as are the members and items of its value; a mark precedes each tag.

Owns that form, and how elements become JSON: by the schema where it tells, else by what they hold. Must not know what surrounds a block.
"""

import json
from typing import Any

from engine.chat.grammars.lark import Lark
from engine.chat.reader.answer import Answer
from engine.chat.reader.source import Emit, Marks, Reading, Source, Unreadable
from engine.chat.tool_formats.form import CallableTool
from engine.chat.tool_formats.minimax3_rules import ITEM, MARK, arguments_rule
from engine.chat.tool_formats.typed_value import STRING, resolved, types_of, value_of
from engine.request import JsonObject

OPEN, CLOSE = f"{MARK}<tool_call>", f"{MARK}</tool_call>"
_CALL, _NAME_END, _CALL_END = f'{MARK}<invoke name="', '">', f"{MARK}</invoke>"
_TAG, _END_TAG = f"{MARK}<", f"{MARK}</"
_MAX_DEPTH = 64


class MiniMax3Format:
    """The form as a whole."""

    openings = (OPEN,)
    openings_at_start = ()
    loose_openings = ()
    marks = (MARK, OPEN, CLOSE)

    def read(self, opening: str, answer: Answer) -> Reading[None]:
        """Calls with white space around them, then the block's end, which may be missing."""
        source = answer.source
        yield from source.white_space()
        yield from source.expect(_CALL)
        found: str | None = _CALL
        while found == _CALL:
            yield from _read_call(answer)
            yield from source.white_space()
            found = yield from source.accept_or_end(_CALL, CLOSE)

    def rules(self, opening: str, tools: tuple[CallableTool, ...], lark: Lark, *, in_parallel: bool) -> str:
        """All calls in one block."""
        calls = (
            f"{lark.text(tool.name + _NAME_END)} {arguments_rule(tool, number, lark)}"
            for number, tool in enumerate(tools)
        )
        call = lark.rule(
            "call", f"{lark.text(_CALL)} ({' | '.join(calls)}) {lark.text(_CALL_END)} {lark.text(chr(10))}"
        )
        return f"{lark.text(chr(10))} {call}{'+' if in_parallel else ''} {lark.text(CLOSE)}"


def _read_call(answer: Answer) -> Reading[None]:
    name = yield from answer.source.text_until(_NAME_END)
    answer.begin_call(name)
    schema = answer.arguments_schema(name)
    yield from _members(answer.source, schema, schema, answer.arguments, _CALL_END, 0)
    answer.end_call()


def _members(source: Source, schema: Any, root: JsonObject, emit: Emit, end: str, depth: int) -> Reading[None]:
    """Elements up to `end`, as an object."""
    known = schema.get("properties") if isinstance(schema, dict) else None
    separator = "{"
    while not (yield from _ends(source, end)):
        name = yield from source.text_until(">")
        emit(f"{separator}{json.dumps(name, ensure_ascii=False)}: ")
        inner = known.get(name) if isinstance(known, dict) else None
        yield from _value(source, inner, root, emit, f"{_END_TAG}{name}>", depth + 1)
        separator = ", "
    emit("{}" if separator == "{" else "}")


def _items(source: Source, schema: Any, root: JsonObject, emit: Emit, end: str, depth: int) -> Reading[None]:
    """Elements named `item` up to `end`, as an array."""
    separator = "["
    while not (yield from _ends(source, end)):
        yield from source.expect(f"{ITEM}>")
        emit(separator)
        inner = schema.get("items") if isinstance(schema, dict) else None
        yield from _value(source, inner, root, emit, f"{_END_TAG}{ITEM}>", depth + 1)
        separator = ", "
    emit("[]" if separator == "[" else "]")


def _ends(source: Source, end: str) -> Reading[bool]:
    yield from source.white_space()
    return (yield from source.expect(end, _TAG)) == end


def _value(source: Source, schema: Any, root: JsonObject, emit: Emit, end: str, depth: int) -> Reading[None]:
    """What stands in an element, up to and with its end."""
    if depth > _MAX_DEPTH:
        raise Unreadable(f"nested more than {_MAX_DEPTH} deep")
    if isinstance(schema, dict) and "$ref" in schema:
        schema = resolved(schema["$ref"], root)
    types = types_of(schema, root)
    if types is not None and types <= {"array"}:
        yield from _items(source, schema, root, emit, end, depth)
    elif types is not None and types <= {"object"}:
        yield from _members(source, schema, root, emit, end, depth)
    elif types != STRING and (yield from _holds_elements(source)):
        is_list = yield from _holds_items(source)
        yield from (_items if is_list else _members)(source, schema, root, emit, end, depth)
    else:
        value = value_of(types, emit)
        if (yield from source.until(Marks((end,)), value.text)) is None:
            raise Unreadable("an element without end")
        source.take(len(end))
        value.end()


def _holds_elements(source: Source) -> Reading[bool]:
    found = yield from source.accept(_END_TAG, _TAG)
    source.put_back(len(found or ""))
    return found == _TAG


def _holds_items(source: Source) -> Reading[bool]:
    item = f"{_TAG}{ITEM}>"
    found = yield from source.accept(item)
    source.put_back(len(found or ""))
    return found == item
