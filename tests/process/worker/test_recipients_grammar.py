"""The turns that functionary 3.2 may write, with a real vocabulary."""

import pytest
from llguidance import LLMatcher

from engine.chat.answers.recipients import RecipientsGrammar
from engine.chat.tool_formats.form import CallableTool
from engine.chat.tool_formats.recipients import RecipientFormat
from engine.llama.constraint import _tokenizer

CITY = {"type": "object", "properties": {"city": {"enum": ["Rome"]}}, "required": ["city"]}
TOOLS = (CallableTool("weather", CITY, is_strict=True), CallableTool("f", {"type": "object"}, is_strict=False))
CALL, OTHER = 'weather\n{"city": "Rome"}', "f\n{}"


@pytest.fixture(scope="module")
def tokenizer(shared_worker):
    return _tokenizer(shared_worker.model)


@pytest.fixture
def accepts(shared_worker, tokenizer):
    def accept(text, **rules):
        written = RecipientsGrammar({}).tools(
            RecipientFormat(), TOOLS, **{"is_required": False, "in_parallel": True, **rules}
        )
        matcher = LLMatcher(tokenizer, LLMatcher.grammar_from_lark(written), log_level=0)
        assert not matcher.get_error()
        tokens = shared_worker.model.tokenize(text, add_special=False, parse_special=False)
        return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()

    return accept


def test_calls_stand_alone_or_behind_what_goes_to_all(accepts):
    for text in (CALL, f"{CALL}>>>{OTHER}", "all\nHello", f"all\nHm. >>>{CALL}"):
        assert accepts(text)


def test_what_goes_to_nobody_or_is_not_valid_cannot_be_written(accepts):
    for text in ("Hello", 'weather\n{"city": "Oslo"}', "weather\nRome", f"{CALL}>>>", f"{CALL} and", "all\n>>>g\n{}"):
        assert not accepts(text)


def test_required_calls_go_to_functions(accepts):
    assert accepts(CALL, is_required=True)
    assert not accepts("all\nHello", is_required=True)


def test_one_call_is_the_end_where_calls_are_not_parallel(accepts):
    assert accepts(CALL, in_parallel=False)
    assert not accepts(f"{CALL}>>>{OTHER}", in_parallel=False)


def test_json_goes_to_all(accepts):
    schema = {"type": "object", "properties": {"a": {"const": 1}}}
    assert accepts('all\n{"a":1}', answer_schema=schema)
    assert accepts(CALL, answer_schema=schema)
    assert not accepts("all\nHello", answer_schema=schema)
