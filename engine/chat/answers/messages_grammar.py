"""Writes the grammar of answers that are messages: of thinking, then what is asked for, as a message of its own kind.

Owns the order of messages that a model may write. Must not know what a family's headers look like, how messages are read, nor how a
grammar is compiled.
"""

import json
from collections.abc import Iterable, Mapping

from engine.chat.answers.answer_grammar import AnswerGrammar, require_held
from engine.chat.answers.reasoning import Thinking
from engine.chat.grammars.lark import TEXT, Lark
from engine.chat.tool_formats.form import CallableTool, ToolFormat
from engine.chat.tool_formats.message_form import NEXT, MessageFormat
from engine.request import JsonObject


class MessagesGrammar(AnswerGrammar):
    """Grammars for one model, whose messages are those of `messages`. A prompt ends behind `NEXT`, or within a thought."""

    def __init__(self, tokens: Mapping[str, int], messages: MessageFormat) -> None:
        super().__init__(tokens)
        self._messages = messages

    def tools(
        self,
        form: ToolFormat,
        tools: Iterable[CallableTool],
        *,
        is_required: bool,
        in_parallel: bool,
        thinking: Thinking | None = None,
        answer_schema: JsonObject | None = None,
    ) -> str:
        """Calls, behind thoughts and words about them; or, unless `is_required`, a final message: one JSON document if there is
        an `answer_schema`."""
        lark, offered = Lark(self._tokens), tuple(tools)
        opening = form.openings[0]
        calls = lark.rule("calls", form.rules(opening, offered, lark, in_parallel=in_parallel))
        require_held(offered, lark)
        answers = [f"{lark.text(opening)} {calls}"]
        if answer_schema is not None:
            answers.append(f"{self._json_header(lark)} {lark.json(answer_schema)}")
        elif not is_required:
            answers.append(f"{lark.text(self._messages.final)} {TEXT}")
        words = () if answer_schema is not None else (self._messages.words,)  # beside which the document would be none
        before = self._before(thinking, lark, self._messages.thought, *words)
        return lark.written(f"{before} ({' | '.join(answers)})")

    def json(self, schema: str, thinking: Thinking) -> str:
        """One JSON document valid under `schema`, as the final message."""
        lark = Lark(self._tokens)
        answer = lark.rule("answer", lark.json(json.loads(schema)))
        before = self._before(thinking, lark, self._messages.thought)
        return lark.written(f"{before} {self._json_header(lark)} {answer}")

    def _behind(self, thinking: Thinking, answer: str, lark: Lark) -> str:
        lark.rule("answer", answer)
        before = self._before(thinking, lark, self._messages.thought)
        return lark.written(f"{before} {lark.text(self._messages.final)} answer")

    def _before(self, thinking: Thinking | None, lark: Lark, *headers: str) -> str:
        """Messages with these headers, each up to where the next one's begins."""
        rest = lark.rule("message_text", f"{lark.until('until_end', self._messages.closings[0])} {lark.text(NEXT)}")
        begun = " | ".join(map(lark.text, headers))
        return f"{rest if thinking and thinking.is_open else ''} (({begun}) {rest})*"

    def _json_header(self, lark: Lark) -> str:
        """Whether the model says that JSON follows is its own business."""
        return f"({' | '.join(map(lark.text, self._messages.json_finals))})"
