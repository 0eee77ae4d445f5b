"""Writes the grammar of an answer that may or must call tools, or be JSON, behind whatever thinking stands before it.

Owns the order of an answer's parts, as Lark text for llguidance. Marks that are tokens of their own are named by id, since no text holds
them; those that are plain text end a lazy lexeme. Must not know a vocabulary, nor how a grammar is compiled.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.chat.reasoning import ReasoningFormat
from engine.chat.tool_formats.block import ToolFormat
from engine.request import JsonObject

_ANYTHING = r"/(.|\n)*/"
_UNESCAPED = re.compile(r"\\.|/|\n", re.DOTALL)
_ESCAPED = {"/": r"\/", "\n": r"\n"}
_WHITE_SPACE = r"/[ \t\r\n]*/"
# Free white space lets a weak model wander in it for ever; templates show models their own calls spaced as Python spaces JSON.
_COMPACT: JsonObject = {"whitespace_flexible": False}
_SPACED: JsonObject = {**_COMPACT, "item_separator": ", ", "key_separator": ": "}


@dataclass(frozen=True)
class Thinking:
    """How thinking before an answer is marked. `is_open`: the prompt ended within it, so the answer begins by closing it."""

    marks: ReasoningFormat
    is_open: bool


@dataclass(frozen=True)
class CallableTool:
    """A function that may be called, and the JSON schema that its arguments are to be valid under: all of it if `is_strict`, else as much
    as can be enforced."""

    name: str
    arguments_schema: JsonObject
    is_strict: bool


class AnswerGrammar:
    """Grammars for one model. `tokens`: the ids of the marks that are tokens of their own in its vocabulary."""

    def __init__(self, tokens: Mapping[str, int]) -> None:
        self._tokens = tokens
        self._marks = re.compile("|".join(f"({re.escape(mark)})" for mark in tokens) or "(?!)")

    @staticmethod
    def json(schema: str) -> str:
        """The rule for one JSON document valid under `schema`."""
        return _compact(json.loads(schema))

    @staticmethod
    def regex(regex: str) -> str:
        """The rule for a text that a regular expression matches whole."""
        return "/" + _UNESCAPED.sub(lambda found: _ESCAPED.get(found.group(), found.group()), regex) + "/"

    @staticmethod
    def choice(choices: Iterable[str]) -> str:
        """The rule for one of these texts."""
        return " | ".join(json.dumps(choice, ensure_ascii=False) for choice in choices)

    def behind(self, thinking: Thinking, answer: str) -> str:
        """What a rule says, once the model has thought."""
        return self._written({"start": f"{self._thought(thinking)} answer", "answer": answer}, thinking)

    def tools(
        self,
        form: ToolFormat,
        tools: Sequence[CallableTool],
        *,
        is_required: bool,
        in_parallel: bool,
        thinking: Thinking | None = None,
        answer_schema: JsonObject | None = None,
    ) -> str:
        """Calls of `tools` in this form: at least one if `is_required`, at most one unless `in_parallel`; else any text before, between and
        after them, or, with an `answer_schema`, one JSON document instead."""
        rules = {"call": " | ".join(f"call_{number}" for number in range(len(tools)))}
        for number, tool in enumerate(tools):
            before, after = form.around(tool.name)
            inside = self._text(before.removeprefix(form.markers[0]))
            arguments = _json({**tool.arguments_schema, "x-guidance": {**_SPACED, "lenient": not tool.is_strict}})
            rules[f"call_{number}"] = f"{inside} {arguments} {self._text(after)}"
        opening = self._text(form.markers[0])
        further = f"({json.dumps(form.separator)} {opening} call)*" if in_parallel else ""
        calls = f"{opening} call {further}"
        if is_required:
            return self._written({"start": f"{self._thought(thinking)} {calls}", **rules}, thinking)
        if answer_schema is not None:
            choice = {"start": f"{self._thought(thinking)} ({calls} | answer)", "answer": _compact(answer_schema)}
            return self._written({**choice, **rules}, thinking)
        return self._written({**self._among_text(form.markers[0], in_parallel, thinking), **rules}, thinking)

    def _among_text(self, opening: str, in_parallel: bool, thinking: Thinking | None) -> dict[str, str]:
        """The rules of text in which calls may stand."""
        thought = self._thought(thinking) if thinking and self._is_token(thinking.marks.opening) else ""
        if self._is_token(opening):
            many, one = f"TEXT ({self._text(opening)} call TEXT)*", f"TEXT ({self._text(opening)} call)?"
            return {"start": f"{thought} {many if in_parallel else one}"}
        many, one = "(until_call call)* TEXT", "(TEXT | until_call call)"
        return {"start": f"{thought} {many if in_parallel else one}", "until_call[lazy]": f"TEXT {json.dumps(opening)}"}

    def _thought(self, thinking: Thinking | None) -> str:
        """What may, or must, stand before everything else."""
        if thinking is None:
            return ""
        return "thought" if thinking.is_open else f"({self._text(thinking.marks.opening)} thought)?"

    def _written(self, rules: Mapping[str, str], thinking: Thinking | None) -> str:
        lines = ["%llguidance {}", *(f"{name}: {body}" for name, body in rules.items())]
        if thinking is not None:
            lines += self._thought_rules(thinking.marks.closing)
        return "\n".join([*lines, f"TEXT: {_ANYTHING}", ""])

    def _thought_rules(self, closing: str) -> list[str]:
        if self._is_token(closing):
            return [f"thought: TEXT {self._text(closing)} WHITE_SPACE", f"WHITE_SPACE: {_WHITE_SPACE}"]
        lazy = f"until_answer[lazy]: TEXT {json.dumps(closing)}"
        return ["thought: until_answer WHITE_SPACE", lazy, f"WHITE_SPACE: {_WHITE_SPACE}"]

    def _is_token(self, mark: str) -> bool:
        return mark in self._tokens

    def _text(self, text: str) -> str:
        """A text with its marks, as a sequence of Lark items."""
        items, end = [], 0
        for found in self._marks.finditer(text):
            items += [_quoted(text[end : found.start()]), f"<[{self._tokens[found.group()]}]>"]
            end = found.end()
        return " ".join(filter(None, [*items, _quoted(text[end:])]))


def _quoted(text: str) -> str:
    return json.dumps(text) if text else ""


def _compact(schema: JsonObject) -> str:
    return _json({**schema, "x-guidance": _COMPACT})


def _json(schema: JsonObject) -> str:
    return f"%json {json.dumps(schema)}"
