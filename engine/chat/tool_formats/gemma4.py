"""The form of Gemma 4: `<|tool_call>call:NAME{key:value}<tool_call|>`, JSON but for bare keys and strings between marks of their own.

Owns that form. Must not know what surrounds calls, nor how a schema becomes a grammar.
"""

import json
import re

from engine.chat.grammars.lark import Lark
from engine.chat.reader.answer import Answer
from engine.chat.reader.source import WHITE_SPACE, Emit, Marks, Reading, Source, Unreadable
from engine.chat.tool_formats.form import CallableTool
from engine.chat.tool_formats.gemma4_rules import QUOTE, arguments_rule

OPEN = "<|tool_call>"
CLOSE = "<tool_call|>"
_RESPONSE = "<|tool_response>"
"""What models go on with behind their calls, as if they were answered already."""

_QUOTES = Marks((QUOTE,))
_KEY_ENDS = Marks((":", "}", CLOSE))
_BARE_ENDS = Marks((",", "}", "]", CLOSE))
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_MAX_DEPTH = 64


class Gemma4Format:
    """The form as a whole."""

    openings = (OPEN,)
    openings_at_start = ()
    loose_openings = ()
    marks = (CLOSE, QUOTE, _RESPONSE)

    def read(self, opening: str, answer: Answer) -> Reading[None]:
        """One call."""
        source = answer.source
        yield from source.white_space()
        yield from source.accept("call:")
        name = yield from source.text_until("{")
        answer.begin_call(name.strip(WHITE_SPACE))
        yield from _members(source, answer.arguments, 0)
        answer.end_call()
        yield from source.white_space()
        yield from source.expect_or_end(CLOSE)
        yield from source.accept_or_end(_RESPONSE)

    def rules(self, opening: str, tools: tuple[CallableTool, ...], lark: Lark, *, in_parallel: bool) -> str:
        """Calls directly behind one another."""
        calls = (
            f"{lark.text(f'call:{tool.name}')} {arguments_rule(tool, number, lark)}"
            for number, tool in enumerate(tools)
        )
        call = lark.rule("call", f"({' | '.join(calls)}) {lark.text(CLOSE)}")
        return f"{call} ({lark.text(OPEN)} {call})*" if in_parallel else call


def _value(source: Source, emit: Emit, depth: int) -> Reading[None]:
    """Emits one value as JSON. Raises Unreadable where there is none."""
    if depth > _MAX_DEPTH:
        raise Unreadable(f"nested more than {_MAX_DEPTH} deep")
    yield from source.white_space()
    opening = yield from source.accept(QUOTE, "{", "[")
    if opening == QUOTE:
        yield from _string(source, emit)
    elif opening == "{":
        yield from _members(source, emit, depth)
    elif opening == "[":
        yield from _items(source, emit, depth)
    elif (yield from source.peek()) == '"':
        yield from source.json(emit)
    else:
        emit(_constant((yield from _until(source, _BARE_ENDS))))


def _string(source: Source, emit: Emit) -> Reading[None]:
    emit('"')
    if (yield from source.until(_QUOTES, lambda text: emit(_escaped(text)))) is None:
        raise Unreadable("a string without end")
    source.take(len(QUOTE))
    emit('"')


def _members(source: Source, emit: Emit, depth: int) -> Reading[None]:
    separator = "{"
    while not (yield from _closes(source, "}", is_first=separator == "{")):
        key = yield from _key(source)
        emit(f"{separator}{json.dumps(key, ensure_ascii=False)}: ")
        yield from _value(source, emit, depth + 1)
        separator = ", "
    emit("{}" if separator == "{" else "}")


def _key(source: Source) -> Reading[str]:
    if (yield from source.accept(QUOTE)):
        key = yield from source.text_until(QUOTE)
        yield from source.white_space()
    else:
        key = (yield from _until(source, _KEY_ENDS)).strip(WHITE_SPACE).strip('"')
    yield from source.expect(":")
    return key


def _items(source: Source, emit: Emit, depth: int) -> Reading[None]:
    separator = "["
    while not (yield from _closes(source, "]", is_first=separator == "[")):
        emit(separator)
        yield from _value(source, emit, depth + 1)
        separator = ", "
    emit("[]" if separator == "[" else "]")


def _closes(source: Source, closing: str, *, is_first: bool) -> Reading[bool]:
    """Whether a collection ends here; else the comma before its next value is read."""
    yield from source.white_space()
    if (yield from source.accept(closing)):
        return True
    if not is_first:
        yield from source.expect(",")
        yield from source.white_space()
    return False


def _until(source: Source, ends: Marks) -> Reading[str]:
    taken: list[str] = []
    if (yield from source.until(ends, taken.append)) is None:
        raise Unreadable("a value without end")
    return "".join(taken)


def _constant(text: str) -> str:
    """A number or a literal as JSON has it; any other bare text is a string whose marks were forgotten."""
    text = text.strip(WHITE_SPACE)
    is_json = text in ("true", "false", "null") or _NUMBER.fullmatch(text)
    return text if is_json else f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]
