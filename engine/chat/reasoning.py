"""Tells what a model thinks from what it answers.

Owns the marks that families put around their thinking, and the white space next to them, which belongs to neither side. Thinking stands
at the beginning of an answer, or begins in the prompt where the template opened it. Must not know tool calls, nor tokens.
"""

from dataclasses import dataclass

from engine.chat.answer import Answer
from engine.chat.source import WHITE_SPACE, Marks, Reading


@dataclass(frozen=True)
class ReasoningFormat:
    """The texts between which a model thinks."""

    opening: str
    closing: str

    def is_open_at_end_of(self, prompt: str) -> bool:
        """Whether the prompt ends just behind the opening mark, so that the answer begins with thinking."""
        return prompt.rstrip(WHITE_SPACE).endswith(self.opening)


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
class Thinking:
    """How thinking before an answer is marked. `is_open`: the prompt ended within it, so the answer begins by closing it."""

    marks: ReasoningFormat
    is_open: bool


def read_thinking(thinking: Thinking, answer: Answer) -> Reading[None]:
    """The thinking that an answer begins with, if it does, and the white space around it."""
    source, marks = answer.source, thinking.marks
    answer.is_reasoning = thinking.is_open
    if not thinking.is_open:
        source.keep()
        yield from source.white_space()
        answer.is_reasoning = (yield from source.accept(marks.opening)) is not None
        if not answer.is_reasoning:
            source.go_back()
        source.release()
    if answer.is_reasoning:
        yield from source.white_space()
        if (yield from source.until(Marks((marks.closing,)), answer.reasoning, trims=True)):
            yield from source.white_space()
            source.take(len(marks.closing))
            answer.is_reasoning = False
        yield from source.white_space()
