"""The form of the answers that a chat template teaches its model: the marks of its thinking and of its calls, and the reader for them.

Owns what follows for reading from a template's text and from the end of a prompt. Must not know tokens, nor what holds an answer to its
form.
"""

from dataclasses import dataclass

from engine.chat.answers.channels import ChannelParser, script
from engine.chat.answers.formats import tool_format
from engine.chat.answers.messages import messages_script
from engine.chat.answers.reasoning import THINK, ReasoningFormat, Thinking, closing_in, reasoning_format
from engine.chat.answers.recipients import recipients_script
from engine.chat.reader.answer import Answer
from engine.chat.tool_formats.form import ToolFormat
from engine.chat.tool_formats.message_form import MessageFormat
from engine.chat.tool_formats.recipients import RecipientFormat


@dataclass(frozen=True)
class AnswerFormat:
    """How answers mark their parts; None: they have no such parts, or their form is not known here. `closing`: what ends thinking, as the
    template writes it."""

    reasoning: ReasoningFormat | None
    calls: ToolFormat | None
    closing: str = ""

    @classmethod
    def of(cls, template: str) -> "AnswerFormat":
        """The form that a template's text teaches."""
        marks = reasoning_format(template)
        return cls(marks, tool_format(template), closing_in(template, marks) if marks else "")

    @property
    def is_in_messages(self) -> bool:
        """Whether all of an answer stands in messages with headers, content too."""
        return isinstance(self.calls, MessageFormat)

    @property
    def marks(self) -> tuple[str, ...]:
        """The texts that a vocabulary may have as tokens of their own."""
        form = self.calls
        openings = (*form.openings, *form.openings_at_start, *form.loose_openings) if form else ()
        return (*(self.reasoning.marks if self.reasoning else ()), *openings, *(form.marks if form else ()))

    def thinking(self, prompt_end: str, *, is_begun: bool = False, is_split: bool = True) -> Thinking | None:
        """The thinking before an answer to a prompt that ends so; None where the model has no marks for it. `is_begun`: the prompt may hold
        the beginning of that thinking, too, which somebody else may have opened, with the marks that most families have."""
        marks = self.reasoning or (THINK if is_begun else None)
        opened = marks.opened_by(prompt_end, is_begun=is_begun) if marks else ""
        if marks is None or not (self.reasoning or opened):
            return None
        return Thinking(marks, opened, self.closing, is_split=is_split)

    def parser(
        self, answer: Answer, *, thinking: Thinking | None, reads_calls: bool, in_parallel: bool = True
    ) -> ChannelParser | None:
        """What finds the parts of an answer; None where there are none to be told apart. Unless `in_parallel`, a call behind the first is
        content."""
        if isinstance(self.calls, MessageFormat):  # `is_in_messages`, as mypy understands it
            messages = messages_script(thinking, self.calls, reads_calls=reads_calls, in_parallel=in_parallel)
            return ChannelParser(messages, answer)
        if isinstance(self.calls, RecipientFormat):
            return ChannelParser(
                recipients_script(self.calls if reads_calls else None, in_parallel=in_parallel), answer
            )
        calls = self.calls if reads_calls else None
        if thinking is None and calls is None:
            return None
        return ChannelParser(script(thinking, calls, in_parallel=in_parallel), answer)
