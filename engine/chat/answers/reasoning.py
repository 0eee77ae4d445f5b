"""How families mark what a model thinks, and in some of them what it answers.

Owns the marks of every family, and whether a prompt ends within thinking. Must not know how an answer is read, tool calls, nor tokens.
"""

import re
from dataclasses import dataclass, field

from engine.chat.reader.source import WHITE_SPACE


@dataclass(frozen=True)
class ReasoningFormat:
    """The texts between which a model thinks.

    `recurs`: no other text holds the opening, so wherever it stands the model thinks again. `is_said`: the opening is the first sentence of
    the thinking, and belongs to it. `answer_openings`, `answer_closings`: what may stand around the answer itself. `signs`: the texts that
    tell the form in a template, all of them; none: either of the marks does. No mark begins or ends with white space, which readers drop
    next to one.
    """

    opening: str
    closing: str
    recurs: bool = False
    is_said: bool = False
    answer_openings: tuple[str, ...] = ()
    answer_closings: tuple[str, ...] = ()
    signs: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        for mark in self.marks:
            if mark != mark.strip() or not mark:
                raise ValueError(f"the mark {mark!r} is empty, or has white space around it")

    @property
    def marks(self) -> tuple[str, ...]:
        """All of them."""
        return (self.opening, self.closing, *self.answer_openings, *self.answer_closings)

    def is_shown_by(self, template: str) -> bool:
        """Whether a template uses these marks."""
        if self.signs:
            return all(sign in template for sign in self.signs)
        return self.closing in template or self.opening in template

    def opened_by(self, prompt: str, *, is_begun: bool = False) -> str:
        """The prompt's text from the opening mark on, if an answer to it begins with thinking; else none. `is_begun`: the prompt may hold
        the beginning of that thinking, too."""
        start = prompt.rfind(self.opening)
        if start < 0 or prompt.rfind(self.closing) > start:
            return ""
        said = prompt[start + len(self.opening) :]
        return prompt[start:] if is_begun or not said.strip(WHITE_SPACE) else ""


THINK = ReasoningFormat("<think>", "</think>")
"""Qwen, DeepSeek, GLM, MiniMax-M1 and M2, Kimi K2, Nemotron, SmolLM3 and most others."""

REASONING_FORMATS = (
    ReasoningFormat(  # gpt-oss, whose answers `engine/chat/answers/messages.py` reads, and the next one's
        "<|channel|>analysis<|message|>", "<|end|>", recurs=True, signs=("<|start|>", "<|channel|>", "<|message|>")
    ),
    ReasoningFormat(  # Muse Glimmer
        "to=self<|message|>", "<|eom|>", recurs=True, signs=("<|eom|>", "<atem:function_calls>")
    ),
    ReasoningFormat(  # Command R7B and A
        "<|START_THINKING|>",
        "<|END_THINKING|>",
        recurs=True,
        answer_openings=("<|START_RESPONSE|>", "<|START_TEXT|>"),
        answer_closings=("<|END_RESPONSE|>", "<|END_TEXT|>"),
    ),
    ReasoningFormat(  # Gemma 4
        "<|channel>thought",
        "<channel|>",
        recurs=True,
        answer_closings=("<channel|>", "<|channel>"),
        signs=("<|channel>", "<channel|>"),
    ),
    ReasoningFormat("[THINK]", "[/THINK]", recurs=True),  # Magistral, Ministral
    ReasoningFormat("<seed:think>", "</seed:think>", recurs=True),  # Seed-OSS
    ReasoningFormat("<mm:think>", "</mm:think>", recurs=True),  # MiniMax-M3
    ReasoningFormat("<|inner_prefix|>", "<|inner_suffix|>", recurs=True),  # Apertus
    ReasoningFormat("◁think▷", "◁/think▷", recurs=True),  # Kimi-VL
    ReasoningFormat(  # Kimi K3, whose template puts its marks together
        "<|open|>think<|sep|>",
        "<|close|>think<|sep|>",
        recurs=True,
        answer_openings=("<|open|>response<|sep|>",),
        answer_closings=("<|close|>response<|sep|>", "<|close|>message<|sep|>"),
        signs=("<|open|>", "<|close|>", "<|sep|>", "'think'"),
    ),
    ReasoningFormat(  # Solar Open
        "<|think|>",
        "<|end|>",
        recurs=True,
        answer_openings=("<|begin|>assistant<|content|>", "<|begin|>assistant", "<|content|>"),
        answer_closings=("<|end|>",),
        signs=("<|think|>", "<|content|>"),
    ),
    ReasoningFormat(  # Hunyuan 3, whose template puts its marks together
        "<think:opensource>", "</think:opensource>", recurs=True, signs=("<think{}>", "':opensource'")
    ),
    ReasoningFormat(  # Apriel
        "Here are my reasoning steps:",
        "[BEGIN FINAL RESPONSE]",
        is_said=True,
        answer_closings=("[END FINAL RESPONSE]",),
        signs=("[BEGIN FINAL RESPONSE]",),
    ),
    ReasoningFormat("Here is my thought process:", "Here is my response:"),  # Granite 3.2
    ReasoningFormat("<thought>", "</thought>"),  # EXAONE Deep
    ReasoningFormat(  # Granite 3.3, Ernie 4.5
        "<think>",
        "</think>",
        answer_openings=("<response>",),
        answer_closings=("</response>",),
        signs=("<think>", "<response>", "</response>"),
    ),
    ReasoningFormat(  # Hunyuan
        "<think>",
        "</think>",
        answer_openings=("<answer>",),
        answer_closings=("</answer>",),
        signs=("<think>", "<answer>", "</answer>"),
    ),
    ReasoningFormat(  # Ling, of whose files not all take the end of a turn for an end token
        "<think>", "</think>", answer_closings=("<|role_end|>",), signs=("<think>", "<|role_end|>")
    ),
    THINK,
)


def reasoning_format(template: str) -> ReasoningFormat | None:
    """The marks that a chat template uses; None if none of those known here."""
    return next((known for known in REASONING_FORMATS if known.is_shown_by(template)), None)


def closing_in(template: str, marks: ReasoningFormat) -> str:
    """The closing mark with the line ends that a template writes around it, which is how its model has learnt to stop thinking."""
    written = re.findall(rf"(?:\\n)*{re.escape(marks.closing)}(?:\\n)*", template)
    return max(written, key=len, default=marks.closing).replace("\\n", "\n")


@dataclass(frozen=True)
class Thinking:
    """How an answer's thinking is marked. `opened`: the end of the prompt from the opening mark on, if the answer begins within thinking.
    `closing`: the closing mark as the template writes it. `is_split`: it comes apart from the answer; else it stays in it, marks
    included."""

    marks: ReasoningFormat
    opened: str = ""
    closing: str = ""
    is_split: bool = True

    @property
    def is_open(self) -> bool:
        """Whether the answer begins within thinking."""
        return bool(self.opened)
