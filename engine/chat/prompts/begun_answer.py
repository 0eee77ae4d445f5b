"""An answer that was begun and is to be continued, behind the prompt that opens it: its thoughts between the family's marks, then its text.

Owns what stands between thoughts and text. Must not know how a template is rendered.
"""

import re

from engine.chat.answers.reasoning import closing_in, reasoning_format
from engine.chat.prompts.template import TemplateRefusal


class AnswerBeginnings:
    """How one template's model begins its answers."""

    def __init__(self, template: str) -> None:
        self._marks = marks = reasoning_format(template)
        if marks is not None:
            lines = (f"{marks.opening}\\n", f"{marks.opening}\n")
            is_line = marks.is_said or any(line in template for line in lines)
            self._opening = marks.opening + "\n" * is_line
            self._closing = f"\n{marks.closing}\n" if marks.is_said else closing_in(template, marks)
            self._no_thought = re.compile(rf"(?:{re.escape(marks.opening)}\s*)?{re.escape(marks.closing)}\s*\Z")

    def is_thought(self, text: str) -> bool:
        """Whether a text begins with the mark of thinking."""
        return self._marks is not None and text.lstrip().startswith(self._marks.opening)

    def is_told(self, prompt: str, thoughts: str) -> bool:
        """Whether a prompt that ends with a message's text has its thoughts before it, and their end: templates leave out what was thought
        earlier. Where no marks are known there is no place for any."""
        if self._marks is None:
            return True
        return thoughts.strip() in prompt and not self._marks.opened_by(prompt, is_begun=True)

    def behind(self, opening: str, text: str, thoughts: str) -> str:
        """The prompt that opens an answer, and what the answer says so far. Raises TemplateRefusal for thoughts alone where no marks are
        known."""
        if self._marks is None:
            if thoughts and not text:
                raise TemplateRefusal(
                    "it has no marks for thinking that are known here, so thinking alone can't be continued"
                )
            return opening + text
        opened = self._marks.opened_by(opening)
        if self.is_thought(text):
            return opening.removesuffix(opened) + text
        if thoughts:
            return self._thought(opening, opened, thoughts) + (self._ended() + text if text else "")
        return opening + (self._closing.lstrip("\n") if opened and text else "") + text

    def _thought(self, opening: str, opened: str, thoughts: str) -> str:
        assert self._marks is not None
        if self._marks.is_said:
            thoughts = thoughts.removeprefix(self._marks.opening).lstrip()
        return (opening if opened else self._no_thought.sub("", opening) + self._opening) + thoughts

    def _ended(self) -> str:
        assert self._marks is not None
        return self._closing + "".join(self._marks.answer_openings[:1])
