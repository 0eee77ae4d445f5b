"""Reads whole answers, cut in any way, for tests of forms and of what stands around calls."""

import json
from collections.abc import Iterable, Iterator
from itertools import groupby

from engine.chat.answers.channels import ChannelParser, script
from engine.chat.answers.reasoning import Thinking
from engine.chat.reader.answer import Answer, CallPiece, Content, Piece, Reasoning
from engine.chat.tool_formats.form import ToolFormat

Found = list[object]
_NAMES = {Content: "content", Reasoning: "reasoning", CallPiece: "call"}


def parser(
    form: ToolFormat | None, thinking: Thinking | None = None, *, is_certain: bool = False, **schemas: object
) -> ChannelParser:
    """A parser for a form of call; `schemas` by function."""
    return ChannelParser(script(thinking, form), Answer(is_certain=is_certain, schemas=schemas))


def pieces_of(parser: ChannelParser, pieces: Iterable[str], *, is_cut: bool = False) -> list[Piece]:
    """Everything that a parser tells of a text that comes in pieces."""
    return [item for piece in pieces for item in parser.feed(piece)] + parser.finish(is_cut=is_cut)


def merged(pieces: Iterable[Piece]) -> Iterator[tuple[str, str]]:
    """(kind, text) of everything, neighbours of one kind joined; of a call (its name, the JSON text of its arguments)."""
    for (kind, _), group in groupby(pieces, lambda piece: (type(piece), getattr(piece, "number", None))):
        parts = list(group)
        if kind is CallPiece:
            yield parts[0].name, "".join(part.arguments for part in parts)
        else:
            yield _NAMES[kind], "".join(part.text for part in parts)


def read(
    text: str | Iterable[str],
    form: ToolFormat | None,
    thinking: Thinking | None = None,
    *,
    is_cut: bool = False,
    is_certain: bool = False,
    **schemas: object,
) -> Found:
    """Content as text, reasoning as ("reasoning", text) and calls as (name, arguments), in order."""
    reader = parser(form, thinking, is_certain=is_certain, **schemas)
    found: Found = []
    for kind, value in merged(pieces_of(reader, [text] if isinstance(text, str) else text, is_cut=is_cut)):
        if kind == "content":
            found.append(value)
        else:
            found.append((kind, value if kind == "reasoning" or is_cut else json.loads(value)))
    return found


def in_pieces(text: str, size: int) -> list[str]:
    """A text cut into pieces of so many characters."""
    return [text[start : start + size] for start in range(0, len(text), size)]
