"""What the grammar of a form of call lets a model write is what the reader reads as calls, whether its marks are tokens or plain text."""

import re

import pytest
from llguidance import LLMatcher

from engine.chat.answers.answer_grammar import AnswerGrammar
from engine.chat.tool_formats.form import CallableTool
from engine.llama.constraint import _tokenizer
from tests.unit.engine.chat.reading import read
from tests.unit.engine.chat.tool_formats.written import WRITTEN

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "array", "items": {"type": "integer"}}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOLS = (CallableTool("get_weather", CITY, is_strict=True), CallableTool("f", {"type": "object"}, is_strict=False))
NASTY = {"city": 'a"}]}</x> \\ \n é'}
CALLS = [("get_weather", {"city": "Rome", "days": [1, 2]}), ("f", {"x": {"y": None}}), ("get_weather", NASTY)]


@pytest.fixture(scope="module")
def tokenizer(shared_worker):
    return _tokenizer(shared_worker.model)


@pytest.fixture(params=WRITTEN.values(), ids=WRITTEN)
def written(request):
    return request.param


@pytest.fixture(params=["tokens", "text"])
def accepts(request, written, shared_worker, tokenizer):
    """Whether an answer may be exactly this text, where any control tokens of the model stand for the marks, or none does."""
    model = shared_worker.model
    form = written.form
    marks = dict.fromkeys(
        mark for mark in (*form.openings, *form.openings_at_start, *form.marks) if not mark.startswith("{")
    )
    control = [
        token for token in range(model.vocabulary_size) if model.is_special(token) and token not in model.end_tokens
    ]
    assert len(control) >= len(marks)
    tokens = dict(zip(marks, control, strict=False)) if request.param == "tokens" else {}

    def tokens_of(text):
        parts = re.split("|".join(f"({re.escape(mark)})" for mark in tokens) or "(?!)", text)
        for part in filter(None, parts):
            if part in tokens:
                yield tokens[part]
            else:
                for character in part:
                    yield from model.tokenize(character, add_special=False, parse_special=False)

    def accept(text, **rules):
        rules = {"is_required": False, "in_parallel": True, **rules}
        grammar = LLMatcher.grammar_from_lark(AnswerGrammar(tokens).tools(form, TOOLS, **rules))
        matcher = LLMatcher(tokenizer, grammar, log_level=0)
        assert not matcher.get_error()
        wanted = list(tokens_of(text))
        return matcher.try_consume_tokens(wanted) == len(wanted) and matcher.is_accepting()

    return accept


def test_calls_may_be_made_as_they_are_written_and_are_read_as_such(written, accepts):
    for made in [CALLS[:1], CALLS[1:2], CALLS[2:]] if written.is_alone else [CALLS, CALLS[:1]]:
        text = written.write(made)
        assert accepts(text)
        assert accepts(text, is_required=True)
        assert read(text, written.form, get_weather=CITY, f={}) == made


def test_text_may_stand_alone_but_not_where_calls_are_required(accepts):
    assert accepts("Hello { you }")
    assert not accepts("Hello { you }", is_required=True)


def test_a_call_once_begun_is_one_of_the_tools_with_arguments_valid_under_its_schema(written, accepts):
    text = written.write(CALLS[:1])
    for wrong in (
        text.replace("get_weather", "got_weather"),
        text.replace('"Rome"', "7"),
        text.replace('"Rome"', '"Rome'),
    ):
        assert wrong != text
        assert not accepts(wrong)
        assert not accepts(wrong, is_required=True)


def test_one_call_is_the_end_where_calls_are_not_parallel(written, accepts):
    assert accepts(written.write(CALLS[:1]), in_parallel=False)
    assert written.is_alone or not accepts(written.write(CALLS[:2]), in_parallel=False, is_required=True)
