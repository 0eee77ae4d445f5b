"""Whether a grammar of answers lets a model write a text, where control tokens of a real vocabulary stand for a form's marks, or none."""

import re
from collections.abc import Callable

from llguidance import LLMatcher

from engine.chat.answers.answer_grammar import AnswerGrammar
from engine.chat.answers.messages_grammar import MessagesGrammar
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


def control_tokens(model, marks):
    """Control tokens of the vocabulary that stand for these marks."""
    control = [t for t in range(model.vocabulary_size) if model.is_special(t) and t not in model.end_tokens]
    assert len(control) >= len(marks)
    return dict(zip(marks, control, strict=False))


def speller(model, tokens) -> Callable[[str, str], bool]:
    """A function that says whether a Lark grammar lets a model write exactly a text, letter by letter but for the marks in `tokens`."""
    tokenizer = _tokenizer(model)

    def tokens_of(text):
        for part in filter(None, re.split("|".join(f"({re.escape(mark)})" for mark in tokens) or "(?!)", text)):
            if part in tokens:
                yield tokens[part]
            else:
                for character in part:
                    yield from model.tokenize(character, add_special=False, parse_special=False)

    def writes(text, grammar):
        matcher = LLMatcher(tokenizer, LLMatcher.grammar_from_lark(grammar), log_level=0)
        assert not matcher.get_error()
        ids = list(tokens_of(text))
        return matcher.try_consume_tokens(ids) == len(ids) and matcher.is_accepting()

    return writes


def acceptor(model, form, tools, marks=()) -> Callable[..., bool]:
    """A function that says whether an answer with calls of `tools` may be exactly a text. `marks`: those that are tokens of their own."""
    tokens = control_tokens(model, marks)
    writes = speller(model, tokens)

    def accepts(text, **rules):
        rules = {"is_required": False, "in_parallel": True, **rules}
        return writes(text, AnswerGrammar(tokens).tools(form, tools, **rules))

    return accepts


def messages_acceptor(model, form, marks=()) -> Callable[..., bool]:
    """A function that says whether an answer in messages of `form` may be exactly a text, by the grammar that `write` has written."""
    tokens = control_tokens(model, marks)
    writes = speller(model, tokens)
    return lambda text, write: writes(text, write(MessagesGrammar(tokens, form)))
