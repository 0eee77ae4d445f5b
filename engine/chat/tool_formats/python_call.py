"""Calls as Python writes them, which some families' forms consist of: `name(argument="value", other=[1, True])`.

Owns how such a call is read, and the grammar that holds one to its schema: arguments in the schema's order, values as JSON writes them,
which Python reads but for the constants. Nothing is ever evaluated. Must not know what surrounds calls.
"""

import json
from collections.abc import Iterator
from typing import Any

from engine.chat.grammars.lark import SPACED, Lark
from engine.chat.reader.answer import Answer
from engine.chat.reader.source import Emit, Reading, Source, Unreadable
from engine.chat.tool_formats.form import CallableTool
from engine.chat.tool_formats.held_keywords import OF_ARGUMENTS, check_held, takes_anything
from engine.chat.tool_formats.python_literal import QUOTES, as_json, read_characters, read_literal, read_word
from engine.chat.tool_formats.typed_value import types_of

_NAME = r"/[A-Za-z_][A-Za-z0-9_]*/"


def read_python_call(answer: Answer) -> Reading[None]:
    """Reads one call; arguments without names have those of the schema, in its order. Raises Unreadable if there is none."""
    source = answer.source
    name = yield from read_word(source)
    yield from source.white_space()
    yield from source.expect("(")
    answer.begin_call(name)
    names = iter(answer.parameters(name))
    separator = "{"
    while not (yield from _closes(source, is_first=separator == "{")):
        key = yield from _key(source, names)
        answer.arguments(f"{separator}{json.dumps(key, ensure_ascii=False)}: ")
        yield from _value(source, answer.arguments)
        separator = ", "
    answer.arguments("{}" if separator == "{" else "}")
    answer.end_call()


def _closes(source: Source, *, is_first: bool) -> Reading[bool]:
    """Whether the arguments end here; else the comma before the next one is read. One may stand before the end, too."""
    yield from source.white_space()
    if (yield from source.accept(")")):
        return True
    if is_first:
        return False
    yield from source.expect(",")
    yield from source.white_space()
    return (yield from source.accept(")")) is not None


def _key(source: Source, names: Iterator[str]) -> Reading[str]:
    """The name before the next value: its own, or where it has none the next of `names`."""
    start = yield from source.peek()
    if not start:
        raise Unreadable("arguments without end")
    if start in "\"'[({-" or start.isdigit():
        return _next_name(names)
    word = yield from read_word(source)
    yield from source.white_space()
    if word and (yield from source.accept("=")):
        return word
    if word and (yield from source.peek()) in (",", ")"):
        source.put_back(len(word))
        return _next_name(names)
    raise Unreadable("expected an argument")


def _next_name(names: Iterator[str]) -> str:
    name = next(names, None)
    if name is None:
        raise Unreadable("an argument without a name")
    return name


def _value(source: Source, emit: Emit) -> Reading[None]:
    """Emits a value as JSON; a string while it comes."""
    yield from source.white_space()
    quote = yield from source.accept(*QUOTES)
    if quote is None:
        value = yield from read_literal(source)
        if source.is_cut and not source.rest:
            raise Unreadable("it is cut")  # and a number may have gone on
        emit(as_json(value))
        return
    if source.is_cut and source.rest and any(longer.startswith(quote + source.rest) for longer in QUOTES):
        raise Unreadable("it is cut")  # within three quotes
    emit('"')
    yield from read_characters(source, quote, lambda text: emit(json.dumps(text, ensure_ascii=False)[1:-1]))
    emit('"')


def python_call_rule(tool: CallableTool, number: int, lark: Lark) -> str:
    """One call of this tool; `number` is for the names of its rules. FormCannotHold names what a strict tool wants and can't have."""
    schema = tool.arguments_schema
    if tool.is_strict:
        check_held(schema, OF_ARGUMENTS)
    known = schema.get("properties") or {}
    required = [name for name in schema.get("required") or () if isinstance(name, str)]
    if takes_anything(schema, is_strict=tool.is_strict):
        argument = lark.rule(
            "any_argument", f'{_NAME} "=" ({lark.json({}, spacing=SPACED)} | "True" | "False" | "None")'
        )
        return f'{lark.text(f"{tool.name}(")} ({argument} (", " {argument})*)? ")"'
    schemas = {**known, **{name: True for name in required if name not in known}}
    arguments = [(name, f"{lark.text(f'{name}=')} {_json(value, tool, lark)}") for name, value in schemas.items()]
    named = lark.rule(f"arguments_{number}", lark.in_order(arguments, set(required), '", "'))
    return f'{lark.text(f"{tool.name}(")} {named} ")"'


def _json(schema: Any, tool: CallableTool, lark: Lark) -> str:
    root = tool.arguments_schema
    whole = schema if isinstance(schema, dict) else {}
    whole = {**whole, **{key: root[key] for key in ("$defs", "definitions") if key in root}}
    value = lark.json(whole, spacing=SPACED, lenient=not tool.is_strict)
    types = types_of(schema, root)
    plain = not tool.is_strict or not {"enum", "const", "not", "$ref", "allOf"} & whole.keys()
    names = {"boolean": '"True" | "False"', "null": '"None"'} if types and plain else {}
    constants = [text for type_, text in names.items() if types and type_ in types]
    return f"({' | '.join([value, *constants])})"
