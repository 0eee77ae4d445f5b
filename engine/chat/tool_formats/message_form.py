"""What a form of tool call is beyond that where a model's whole answer is messages, each with a header that says where it goes.

Owns the marks that all such forms have, and what a header says to their readers. Must not know any form, nor how messages follow one
another: `engine/chat/answers/messages.py` reads them.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from engine.chat.tool_formats.form import ToolFormat

START, MESSAGE = "<|start|>", "<|message|>"
"""In front of a header, and behind it."""
NEXT = f"{START}assistant"
"""What a prompt ends with, and what stands in front of an answer's further messages."""
RECIPIENT = "to="


@dataclass(frozen=True)
class Header:
    """What a message's header says: it is a thought, or it goes to a function, or else to the reader. `is_call`: the header itself shows
    that it goes to a function, though none of that name may be offered."""

    is_thought: bool
    function: str
    is_call: bool


class MessageFormat(ToolFormat, ABC):
    """One such form."""

    header_starts: ClassVar[tuple[str, ...]]
    """What a header may begin with."""
    beginnings: ClassVar[tuple[str, ...]]
    """Those of them that end the text of the message before."""
    closings: ClassVar[tuple[str, ...]]
    """The marks behind a message's text; first the one behind a thought."""
    thought: ClassVar[str]
    """The header of a thought, as the model writes it behind `NEXT`; the others likewise."""
    words: ClassVar[str]
    """The header of what a model says before it calls."""
    final: ClassVar[str]
    """The header of an answer's last message."""
    json_finals: ClassVar[tuple[str, ...]]
    """The headers of a last message that is JSON."""

    @abstractmethod
    def header(self, text: str) -> Header:
        """What a header says, up to its end mark; of what stands in it twice the last counts."""
