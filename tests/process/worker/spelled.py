"""Whether a grammar of answers lets a model write a text, where control tokens of a real vocabulary stand for a form's marks, or none."""

import re
from collections.abc import Callable

from llguidance import LLMatcher

from engine.chat.answers.answer_grammar import AnswerGrammar
from engine.chat.tool_formats.form import CallableTool
from engine.llama.constraint import _tokenizer

TRIP = {
    "type": "object",
    "$defs": {"Stop": {"type": "object", "properties": {"at": {"type": "string"}, "next": {"$ref": "#/$defs/Stop"}}}},
    "properties": {
        "city": {"type": "string"},
        "class": {"enum": ["first", "second", 3]},
        "days": {"type": "integer", "minimum": 1},
        "code": {"type": "string", "pattern": "^[A-Z]{2}$"},
        "stops": {"type": "array", "items": {"$ref": "#/$defs/Stop"}},
        "by": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
    "required": ["city", "days"],
    "additionalProperties": False,
}
TOOLS = (CallableTool("trip", TRIP, is_strict=True), CallableTool("any", {"type": "object"}, is_strict=False))
"""One with a schema of many kinds of values, and one that takes anything."""


def acceptor(model, form, tools, marks=()) -> Callable[..., bool]:
    """A function that says whether an answer with calls of `tools` may be exactly a text. `marks`: those that are tokens of their own."""
    control = (t for t in range(model.vocabulary_size) if model.is_special(t) and t not in model.end_tokens)
    tokens = dict(zip(marks, control, strict=False))
    tokenizer = _tokenizer(model)

    def tokens_of(text):
        for part in filter(None, re.split("|".join(f"({re.escape(mark)})" for mark in tokens) or "(?!)", text)):
            if part in tokens:
                yield tokens[part]
            else:
                for character in part:
                    yield from model.tokenize(character, add_special=False, parse_special=False)

    def accepts(text, **rules):
        rules = {"is_required": False, "in_parallel": True, **rules}
        grammar = AnswerGrammar(tokens).tools(form, tools, **rules)
        matcher = LLMatcher(tokenizer, LLMatcher.grammar_from_lark(grammar), log_level=0)
        assert not matcher.get_error()
        ids = list(tokens_of(text))
        return matcher.try_consume_tokens(ids) == len(ids) and matcher.is_accepting()

    return accepts
