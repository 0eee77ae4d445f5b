"""Writes the grammar of answers of gpt-oss: messages of thinking, then what is asked for, as a message of its own kind.

Owns the headers that a model may write. Must not know how messages are read, nor how a grammar is compiled.
"""

import json
from collections.abc import Iterable

from engine.chat.answers.answer_grammar import AnswerGrammar
from engine.chat.answers.reasoning import Thinking
from engine.chat.grammars.lark import TEXT, Lark
from engine.chat.tool_formats.form import CallableTool, ToolFormat
from engine.chat.tool_formats.harmony import CHANNEL, CONSTRAIN, END, MESSAGE, START
from engine.request import JsonObject

_NEXT = f"{START}assistant"


class HarmonyGrammar(AnswerGrammar):
    """Grammars for one model. A prompt ends behind `<|start|>assistant`, or within a thought."""

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
        """One call, behind thoughts and words about it; or, unless `is_required`, a final message: one JSON document if there is
        an `answer_schema`."""
        lark = Lark(self._tokens)
        opening = form.openings[0]
        calls = lark.rule("calls", form.rules(opening, tuple(tools), lark, in_parallel=in_parallel))
        answers = [f"{lark.text(opening)} {calls}"]
        if answer_schema is not None:
            answers.append(f"{_json_header(lark)} {lark.json(answer_schema)}")
        elif not is_required:
            answers.append(f"{lark.text(_header('final'))} {TEXT}")
        before = _before(thinking, ("analysis", "commentary"), lark)
        return lark.written(f"{before} ({' | '.join(answers)})")

    def json(self, schema: str, thinking: Thinking) -> str:
        """One JSON document valid under `schema`, as the final message."""
        lark = Lark(self._tokens)
        answer = lark.rule("answer", lark.json(json.loads(schema)))
        return lark.written(f"{_before(thinking, ('analysis',), lark)} {_json_header(lark)} {answer}")

    def _behind(self, thinking: Thinking, answer: str, lark: Lark) -> str:
        lark.rule("answer", answer)
        return lark.written(f"{_before(thinking, ('analysis',), lark)} {lark.text(_header('final'))} answer")


def _before(thinking: Thinking | None, channels: Iterable[str], lark: Lark) -> str:
    """Messages on these channels, each up to where the next one's header begins."""
    rest = lark.rule("message_text", f"{lark.until('until_end', END)} {lark.text(_NEXT)}")
    headers = " | ".join(lark.text(_header(channel)) for channel in channels)
    return f"{rest if thinking and thinking.is_open else ''} (({headers}) {rest})*"


def _header(channel: str) -> str:
    return f"{CHANNEL}{channel}{MESSAGE}"


def _json_header(lark: Lark) -> str:
    """Whether the model says that JSON follows is its own business."""
    return f"{lark.text(f'{CHANNEL}final')} ({lark.text(f' {CONSTRAIN}json')})? {lark.text(MESSAGE)}"
