"""Splits a model's text into reasoning, content and tool calls as it grows, the same however it is cut into pieces.

Owns what is held back: white space and the beginning of a marker, since both may belong to a call, and a block of calls until each is
complete. What turns out to be no call is delivered as content; nothing is lost but the white space next to a call. Must not know any
form of call, which is `tool_formats`' business, nor the marks around reasoning, nor tokens.
"""

import re
from dataclasses import dataclass
from uuid import uuid4

from engine.chat.reasoning import Part, ReasoningSplitter
from engine.chat.tool_formats.block import BlockOutput, CallBlock, ToolFormat

_WHITE_SPACE = " \t\r\n"


@dataclass(frozen=True)
class Content:
    """Text for the reader; never empty."""

    text: str


@dataclass(frozen=True)
class Reasoning:
    """What the model thinks before it answers; never empty."""

    text: str


@dataclass(frozen=True)
class ToolCall:
    """One complete call; `id` is unique, `arguments_json` the text of a JSON object."""

    id: str
    name: str
    arguments_json: str


Piece = Content | Reasoning | ToolCall


class ChannelParser:
    """Reads one answer of a model that writes tool calls in `tool_format`, and may begin by thinking aloud where there is a
    `reasoning` splitter; without both all text is content."""

    def __init__(self, tool_format: ToolFormat | None, reasoning: ReasoningSplitter | None = None) -> None:
        self._reasoning = reasoning
        self._format = tool_format
        self._markers = _Markers(tool_format.markers if tool_format else ())
        self._held = ""
        self._block: CallBlock | None = None
        self._block_opening = ""
        self._block_has_calls = False
        self._after_call = False

    @property
    def is_reasoning(self) -> bool:
        """Whether the next text would belong to the model's thinking."""
        return self._reasoning is not None and self._reasoning.is_reasoning

    def feed(self, text: str) -> list[Piece]:
        """The reasoning, the content and the calls that `text` completes, in order."""
        return self._read_parts(self._reasoning.feed(text)) if self._reasoning else self._read_answer(text)

    def finish(self) -> list[Piece]:
        """What remains, now that nothing follows."""
        pieces = self._read_parts(self._reasoning.finish()) if self._reasoning else []
        while self._block:
            rest = self._read_block(self._block.finish(), pieces)
            pieces += self._read_answer(rest)
        _add_content(self._held, pieces)
        self._held = ""
        return pieces

    def _read_parts(self, parts: list[Part]) -> list[Piece]:
        pieces: list[Piece] = []
        for part in parts:
            pieces += [Reasoning(part.text)] if part.is_reasoning else self._read_answer(part.text)
        return pieces

    def _read_answer(self, text: str) -> list[Piece]:
        pieces: list[Piece] = []
        while text:
            text = self._read_block(self._block.feed(text), pieces) if self._block else self._read_content(text, pieces)
        return pieces

    def _read_content(self, text: str, pieces: list[Piece]) -> str:
        """Delivers content up to the next marker and opens its block; the text that follows the marker."""
        text = self._held + text
        if self._after_call:
            text = text.lstrip(_WHITE_SPACE)
            self._after_call = not text
        start, end = self._markers.find(text)
        content = text[:start].rstrip(_WHITE_SPACE)
        _add_content(content, pieces)
        self._held = text[len(content) :]
        if self._format is None or start == end:
            return ""
        self._block = self._format.open(text[start:end])
        self._block_opening, self._held = text[len(content) : end], ""
        self._block_has_calls = False
        return text[end:]

    def _read_block(self, output: BlockOutput, pieces: list[Piece]) -> str:
        """Delivers calls; the text to read once the block has ended. A block without a call was content after all."""
        pieces += [ToolCall(f"call_{uuid4().hex}", call.name, call.arguments_json) for call in output.calls]
        self._block_has_calls |= bool(output.calls)
        if output.ended:
            self._block = None
            self._after_call = self._block_has_calls
            _add_content("" if self._block_has_calls else self._block_opening, pieces)
        return output.rest


class _Markers:
    """The texts that open a block, and how to find them in text that grows."""

    def __init__(self, markers: tuple[str, ...]) -> None:
        self._pattern = re.compile("|".join(map(re.escape, markers)) or "(?!)")
        self._beginnings = {marker[:length] for marker in markers for length in range(1, len(marker))}
        self._longest = max(map(len, self._beginnings), default=0)

    def find(self, text: str) -> tuple[int, int]:
        """Where the first marker begins and ends; if there is none, twice where the text ends that can be no marker's beginning."""
        if match := self._pattern.search(text):
            return match.span()
        for start in range(max(0, len(text) - self._longest), len(text)):
            if text[start:] in self._beginnings:
                return start, start
        return len(text), len(text)


def _add_content(text: str, pieces: list[Piece]) -> None:
    if text:
        pieces.append(Content(text))
