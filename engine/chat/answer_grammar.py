"""Writes the grammar of an answer that may or must call tools, or be JSON, behind whatever thinking stands before it.

Owns the order of an answer's parts. Must not know a vocabulary, the form of a call, nor how a grammar is compiled.
"""

import json
from collections.abc import Iterable, Mapping

from engine.chat.lark import TEXT, Lark
from engine.chat.reasoning import Thinking
from engine.chat.tool_formats.form import CallableTool, ToolFormat
from engine.request import JsonObject

_WHITE_SPACE = r"/[ \t\r\n]*/"


class AnswerGrammar:
    """Grammars for one model. `tokens`: the ids of the marks that are tokens of their own in its vocabulary."""

    def __init__(self, tokens: Mapping[str, int]) -> None:
        self._tokens = tokens

    def json(self, schema: str, thinking: Thinking) -> str:
        """One JSON document valid under `schema`, behind the thinking."""
        lark = Lark(self._tokens)
        return self._behind(thinking, lark.json(json.loads(schema)), lark)

    def regex(self, regex: str, thinking: Thinking) -> str:
        """A text that a regular expression matches whole, behind the thinking."""
        return self._behind(thinking, Lark.regex(regex), Lark(self._tokens))

    def choice(self, choices: Iterable[str], thinking: Thinking) -> str:
        """One of these texts, behind the thinking."""
        alternatives = (json.dumps(choice, ensure_ascii=False) for choice in choices)
        return self._behind(thinking, " | ".join(alternatives), Lark(self._tokens))

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
        """Calls of `tools` in this form: at least one if `is_required`, at most one unless `in_parallel`; else any text before, between and
        after them, or, with an `answer_schema`, one JSON document instead."""
        lark = Lark(self._tokens)
        calls = lark.rule("calls", form.rules(tuple(tools), lark, in_parallel=in_parallel))
        opening = (*form.openings, *form.openings_at_start)[0]
        if is_required:
            return lark.written(f"{_thought(thinking, lark)} {lark.text(opening)} {calls}")
        if answer_schema is not None:
            answer = lark.rule("answer", lark.json(answer_schema))
            return lark.written(f"{_thought(thinking, lark)} ({lark.text(opening)} {calls} | {answer})")
        if not form.openings:
            return lark.written(f"{_thought(thinking, lark)} {_calls_or_text(opening, calls, lark)}")
        return lark.written(_among_text(form.openings[0], calls, lark, thinking, in_parallel=in_parallel))

    def _behind(self, thinking: Thinking, answer: str, lark: Lark) -> str:
        lark.rule("answer", answer)
        return lark.written(f"{_thought(thinking, lark)} answer")


def _among_text(opening: str, calls: str, lark: Lark, thinking: Thinking | None, *, in_parallel: bool) -> str:
    """Text in which calls may stand."""
    marked = thinking if thinking and lark.is_token(thinking.marks.opening) else None
    thought = _thought(marked, lark)
    if lark.is_token(opening):
        among = f"({lark.text(opening)} {calls} {TEXT})"
        return f"{thought} {TEXT} {among}{'*' if in_parallel else '?'}"
    until_call = lark.until("until_call", opening)
    return f"{thought} {f'({until_call} {calls})* {TEXT}' if in_parallel else f'({TEXT} | {until_call} {calls})'}"


def _calls_or_text(opening: str, calls: str, lark: Lark) -> str:
    """Calls, or text that does not begin as they do."""
    if lark.is_token(opening):
        return f"({lark.text(opening)} {calls} | {TEXT})"
    other = lark.rule("OTHER_TEXT", rf"/[ \t\r\n]*([^ \t\r\n{_in_class(opening[0])}](.|\n)*)?/")
    return f"({lark.text(opening)} {calls} | {other})"


def _in_class(character: str) -> str:
    return "\\" + character if character in r"\]^-/[" else character


def _thought(thinking: Thinking | None, lark: Lark) -> str:
    """What may, or must, stand before everything else."""
    if thinking is None:
        return ""
    white_space = lark.rule("WHITE_SPACE", _WHITE_SPACE)
    thought = lark.rule("thought", f"{lark.until('until_answer', thinking.marks.closing)} {white_space}")
    return thought if thinking.is_open else f"({lark.text(thinking.marks.opening)} {thought})?"
