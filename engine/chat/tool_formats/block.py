"""What every form of tool call is to the rest: markers that open a block of calls, and a reader for the block.

Owns the vocabulary that the forms and the channel parser share. Must not know any form.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class FunctionCall:
    """One complete call; `arguments_json` is the text of a JSON object."""

    name: str
    arguments_json: str


@dataclass(frozen=True)
class BlockOutput:
    """What a piece of text brought: the calls that it completed, and once the block has `ended`, the text that is not part of it.

    A block that ends without a single call was none: the parser then delivers its marker and `rest` as content.
    """

    calls: tuple[FunctionCall, ...] = ()
    ended: bool = False
    rest: str = ""


class CallBlock(Protocol):
    """A block being read, from just after its marker."""

    def feed(self, text: str) -> BlockOutput:
        """Reads on. Not called again once the block has ended."""

    def finish(self) -> BlockOutput:
        """The text is over: ends the block with what is left of it."""


class ToolFormat(Protocol):
    """One form of tool call."""

    @property
    def markers(self) -> tuple[str, ...]:
        """The texts that open a block."""

    @property
    def closing_marks(self) -> tuple[str, ...]:
        """Further texts that a vocabulary may have as tokens of their own."""

    @property
    def separator(self) -> str:
        """What stands between two calls."""

    def around(self, name: str) -> tuple[str, str]:
        """What is written before and after the arguments of a call of `name`, from its opening marker on."""

    def open(self, marker: str) -> CallBlock:
        """A reader for the block that `marker` opened."""
