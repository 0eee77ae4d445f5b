"""Owns the last look at a finished answer: what was promised to be valid under a schema is never passed on as complete unless it is.

What holds an answer to its form while it is drawn is another library's work, and reading the answer apart is ours: this is neither. Must
not know tokens, nor how a form is enforced.
"""

from collections.abc import Mapping

from engine.chat.reader.answer import CallPiece, Content, Piece
from engine.llama.json_schemas import JsonSchema
from engine.llama.library import LlamaError


class AnswerCheck:
    """Gathers one answer. `content`: the schema of its text, where it makes no calls; `arguments`: of its calls, by function's name."""

    def __init__(self, content: JsonSchema | None, arguments: Mapping[str, JsonSchema]) -> None:
        self._content = content
        self._arguments = arguments
        self._text: list[str] = []
        self._calls: dict[int, list[str]] = {}
        self._names: dict[int, str] = {}

    def copy(self) -> "AnswerCheck":
        """The same for another answer."""
        return AnswerCheck(self._content, self._arguments)

    def note(self, piece: Piece) -> None:
        """More of the answer, as its reader gets it."""
        if isinstance(piece, Content):
            self._text.append(piece.text)
        elif isinstance(piece, CallPiece):
            self._calls.setdefault(piece.number, []).append(piece.arguments)
            if piece.name is not None:
                self._names[piece.number] = piece.name

    def check(self) -> None:
        """LlamaError if the answer, which ended by itself, is not what was promised."""
        for number, arguments in self._calls.items():
            name = self._names[number]
            _check(self._arguments.get(name), arguments, f"the arguments of the call of {name!r} are")
        if not self._calls:
            _check(self._content, self._text, "the answer is")


def _check(schema: JsonSchema | None, pieces: list[str], what: str) -> None:
    violation = schema.violation("".join(pieces).encode()) if schema else None
    if violation:
        raise LlamaError(f"{what} not valid under the schema: {violation}")
