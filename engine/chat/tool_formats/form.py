"""What every form of tool call is to the rest: the texts that open calls, a reader for them, and a grammar to write them by.

Owns the vocabulary that the forms share with the channel parser and the answer grammar. Must not know any form.
"""

from dataclasses import dataclass
from typing import Protocol

from engine.chat.grammars.lark import COMPACT, Lark
from engine.chat.reader.answer import Answer
from engine.chat.reader.source import Reading
from engine.request import JsonObject


@dataclass(frozen=True)
class CallableTool:
    """A function that may be called, and the JSON schema that its arguments are to be valid under: all of it if `is_strict`, else as much
    as can be enforced. `input_grammar`: the grammar of its one argument `input`, in Lark."""

    name: str
    arguments_schema: JsonObject
    is_strict: bool
    input_grammar: str | None = None


def written_arguments(tool: CallableTool, lark: Lark, *, spacing: JsonObject = COMPACT) -> str:
    """A tool's arguments as one JSON object, as Lark items."""
    if tool.input_grammar is None:
        return lark.json(tool.arguments_schema, spacing=spacing, lenient=not tool.is_strict)
    return lark.json_of_grammar("input", tool.input_grammar, spacing=spacing)


class FormCannotHold(ValueError):
    """The form has no way to write just what a tool's schema allows; the message names what is in the way, and where."""


class ToolFormat(Protocol):
    """One form of tool call."""

    @property
    def openings(self) -> tuple[str, ...]:
        """The texts that open calls wherever they stand; a model that is made to call writes the first."""

    @property
    def openings_at_start(self) -> tuple[str, ...]:
        """The texts that open calls only where the answer begins with them. A form with such has no other openings that are plain text."""

    @property
    def loose_openings(self) -> tuple[str, ...]:
        """Texts that may open calls, though nothing holds what follows them to that: calls behind these are read once they are complete."""

    @property
    def marks(self) -> tuple[str, ...]:
        """Further texts that a vocabulary may have as tokens of their own."""

    def read(self, opening: str, answer: Answer) -> Reading[None]:
        """Reads calls from just behind `opening` to the end of what belongs to them. Raises Unreadable where it meets something else: all
        that stands behind the last complete call, or a mark kept behind it, or the opening itself where there is none, is then content."""

    def rules(self, opening: str, tools: tuple[CallableTool, ...], lark: Lark, *, in_parallel: bool) -> str:
        """What follows `opening` up to the end of the last call, as Lark items: one call, or also more if `in_parallel`. Adds the rules
        that it needs; rules added for several openings are the same. FormCannotHold names what a strict tool wants and can't have."""
