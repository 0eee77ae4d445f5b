"""Splits what a model thinks from what it answers, the same however its text is cut into pieces.

Owns the marks that families put around their thinking, and the white space next to them, which belongs to neither side. Thinking stands
at the beginning of an answer, or begins in the prompt where the template opened it. Must not know tool calls, nor tokens.
"""

import re
from dataclasses import dataclass

_WHITE_SPACE = " \t\r\n"


@dataclass(frozen=True)
class ReasoningFormat:
    """The texts between which a model thinks."""

    opening: str
    closing: str

    def is_open_at_end_of(self, prompt: str) -> bool:
        """Whether the prompt ends just behind the opening mark, so that the answer begins with thinking."""
        return prompt.rstrip(_WHITE_SPACE).endswith(self.opening)


REASONING_FORMATS = (
    ReasoningFormat("<think>", "</think>"),  # Qwen3, DeepSeek, GLM, MiniMax, Kimi, Nemotron, SmolLM3 and most others
    ReasoningFormat("<seed:think>", "</seed:think>"),  # Seed-OSS
    ReasoningFormat("[THINK]", "[/THINK]"),  # Magistral, Ministral
    ReasoningFormat("<|START_THINKING|>", "<|END_THINKING|>"),  # Command R7B and A
    ReasoningFormat("<|inner_prefix|>", "<|inner_suffix|>"),  # Apertus
)


def reasoning_format(template: str) -> ReasoningFormat | None:
    """The marks that a chat template uses; None if none of those known here."""
    return next((known for known in REASONING_FORMATS if known.closing in template or known.opening in template), None)


@dataclass(frozen=True)
class Part:
    """A piece of an answer's text, and on which side it belongs; never empty."""

    text: str
    is_reasoning: bool


class ReasoningSplitter:
    """Reads one answer. `is_open`: the prompt ended within the thinking."""

    def __init__(self, marks: ReasoningFormat, *, is_open: bool = False) -> None:
        self._marks = marks
        self._held = ""
        self._at_start = True
        self.is_reasoning = is_open
        self._is_over = False
        cut = (re.escape(marks.closing[:length]) for length in range(len(marks.closing) - 1, 0, -1))
        self._beginning_of_closing = re.compile(rf"[{_WHITE_SPACE}]*(?:{'|'.join(cut)})?\Z")

    def feed(self, text: str) -> list[Part]:
        """What `text` makes certain, in order."""
        self._held += text
        parts: list[Part] = []
        while self._step(parts):
            pass
        return parts

    def finish(self) -> list[Part]:
        """What was held back, now that nothing follows."""
        held, self._held = self._held, ""
        return _part(held, is_reasoning=self.is_reasoning)

    def _step(self, parts: list[Part]) -> bool:
        """Takes what it can from the held text; whether there may be more to take."""
        if self.is_reasoning:
            return self._think(parts)
        if not self._is_over:
            return self._begin()
        return self._answer(parts)

    def _begin(self) -> bool:
        """Decides whether the answer begins with thinking."""
        text = self._held.lstrip(_WHITE_SPACE)
        if text.startswith(self._marks.opening):
            self._held = text.removeprefix(self._marks.opening)
            self.is_reasoning = True
            return True
        if self._marks.opening.startswith(text):
            return False
        self._is_over, self._at_start = True, False
        return True

    def _think(self, parts: list[Part]) -> bool:
        self._skip_white_space()
        thought, closing, rest = self._held.partition(self._marks.closing)
        if closing:
            parts += _part(thought.rstrip(_WHITE_SPACE), is_reasoning=True)
            self._held = rest
            self.is_reasoning, self._is_over, self._at_start = False, True, True
            return True
        certain = self._beginning_of_closing.search(thought)
        length = certain.start() if certain else len(thought)
        parts += _part(thought[:length], is_reasoning=True)
        self._held = thought[length:]
        return False

    def _answer(self, parts: list[Part]) -> bool:
        self._skip_white_space()
        parts += _part(self._held, is_reasoning=False)
        self._held = ""
        return False

    def _skip_white_space(self) -> None:
        """Behind a mark it is dropped."""
        if self._at_start:
            self._held = self._held.lstrip(_WHITE_SPACE)
            self._at_start = not self._held


def _part(text: str, *, is_reasoning: bool) -> list[Part]:
    return [Part(text, is_reasoning)] if text else []
