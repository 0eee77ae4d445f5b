"""Writes the grammar of an answer that may or must call tools, or be JSON, behind whatever thinking stands before it.

Owns the order of an answer's parts. Must not know a vocabulary, the form of a call, nor how a grammar is compiled.
"""

import json
import re
from collections.abc import Iterable, Mapping

from engine.chat.answers.reasoning import Thinking
from engine.chat.grammars.lark import TEXT, Lark
from engine.chat.tool_formats.form import CallableTool, FormCannotHold, ToolFormat
from engine.request import JsonObject

_WHITE_SPACE = r"/[ \t\r\n]{0,4}/"
"""Behind thinking. Without a bound a weak model wanders in it for ever."""


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
        after them, or, with an `answer_schema`, one JSON document instead. Raises FormCannotHold and Unquotable."""
        lark = Lark(self._tokens)
        begun = _Begun(form, tuple(tools), lark, in_parallel=in_parallel)
        if is_required:
            return lark.written(f"{_thought(thinking, lark)} {begun.first}")
        if answer_schema is not None:
            answer = lark.rule("answer", lark.json(answer_schema))
            return lark.written(f"{_thought(thinking, lark)} ({begun.first} | {answer})")
        if not form.openings:
            return lark.written(f"{_thought(thinking, lark)} {_calls_or_text(begun, lark)}")
        return lark.written(_among_text(begun, lark, thinking, in_parallel=in_parallel))

    def _behind(self, thinking: Thinking, answer: str, lark: Lark) -> str:
        lark.rule("answer", answer)
        return lark.written(f"{_thought(thinking, lark)} answer")


class _Begun:
    """For each opening of a form, the calls that follow it."""

    def __init__(self, form: ToolFormat, tools: tuple[CallableTool, ...], lark: Lark, *, in_parallel: bool) -> None:
        self._lark = lark
        self.calls = {
            opening: lark.rule(f"calls_{number}", form.rules(opening, tools, lark, in_parallel=in_parallel))
            for number, opening in enumerate((*form.openings, *form.openings_at_start))
        }
        require_held(tools, lark)

    @property
    def each(self) -> list[str]:
        """The openings with what follows them."""
        return [f"{self._lark.text(opening)} {calls}" for opening, calls in self.calls.items()]

    @property
    def first(self) -> str:
        """The opening that a model writes which is made to call, with what follows it."""
        return self.each[0]


def require_held(tools: Iterable[CallableTool], lark: Lark) -> None:
    """Raises FormCannotHold where the rules of some tools' calls, now written, have no place for a grammar that one of them takes."""
    unheld = [tool.name for tool in tools if tool.input_grammar not in (None, *lark.held_grammars)]
    if unheld:
        raise FormCannotHold(f"this model's calls have no place for a text of a grammar, which {unheld[0]!r} takes")


def _among_text(begun: _Begun, lark: Lark, thinking: Thinking | None, *, in_parallel: bool) -> str:
    """Text in which calls may stand."""
    marked = thinking if thinking and lark.is_token(thinking.marks.opening) else None
    thought = _thought(marked, lark)
    until = [f"{lark.until(f'until_{calls}', opening)} {calls}" for opening, calls in begun.calls.items()]
    if in_parallel:
        return f"{thought} ({' | '.join(until)})* {TEXT}"
    behind = f" {TEXT}" if all(map(lark.is_token, begun.calls)) else ""  # in text an opening could stand again
    return f"{thought} ({TEXT} | ({' | '.join(until)}){behind})"


def _calls_or_text(begun: _Begun, lark: Lark) -> str:
    """Calls, or text that does not begin as they do."""
    if all(map(lark.is_token, begun.calls)):
        return f"({' | '.join(begun.each)} | {TEXT})"
    openings = "|".join(map(re.escape, begun.calls))
    begins_as_calls = lark.regex(rf"[ \t\r\n]*({openings})(.|\n)*")
    other = lark.rule("OTHER_TEXT", f"{TEXT} & ~{begins_as_calls}")
    return f"({' | '.join(begun.each)} | {other})"


def _thought(thinking: Thinking | None, lark: Lark) -> str:
    """What may, or must, stand before everything else."""
    if thinking is None:
        return ""
    white_space = lark.rule("WHITE_SPACE", _WHITE_SPACE)
    thought = lark.rule("thought", f"{lark.until('until_answer', thinking.marks.closing)} {white_space}")
    return thought if thinking.is_open else f"({lark.text(thinking.marks.opening)} {thought})?"
