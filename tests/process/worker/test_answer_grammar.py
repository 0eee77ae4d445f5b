"""The grammar of answers, with a real vocabulary: what may follow what, where marks are tokens of their own and where they are text."""

import pytest
from llguidance import LLMatcher

from engine.chat.answers.answer_grammar import AnswerGrammar
from engine.chat.answers.reasoning import THINK, Thinking
from engine.chat.tool_formats.form import CallableTool
from engine.chat.tool_formats.hermes import CLOSE, OPEN, HermesFormat
from engine.llama.constraint import _tokenizer

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOLS = (CallableTool("weather", CITY, is_strict=True), CallableTool('né"w', {"type": "object"}, is_strict=False))
CALL = '<tool_call>\n{"name": "weather", "arguments": {"city": "Rome"}}\n</tool_call>'
OTHER = '<tool_call>\n{"name": "né\\"w", "arguments": {}}\n</tool_call>'
CLOSED, OPENED = Thinking(THINK), Thinking(THINK, opened="<think>")


@pytest.fixture(scope="module")
def tokenizer(shared_worker):
    return _tokenizer(shared_worker.model)


@pytest.fixture(params=["tokens", "text"])
def reads(request, shared_worker, tokenizer):
    """Whether an answer may be exactly this text; the marks of calls are tokens, or text as any other."""
    model, are_tokens = shared_worker.model, request.param == "tokens"
    marks = {mark: model.tokenize(mark, add_special=False, parse_special=True)[0] for mark in (OPEN, CLOSE)}

    def tokens_of(text):
        if are_tokens:
            return model.tokenize(text, add_special=False, parse_special=True)
        characters = (model.tokenize(character, add_special=False, parse_special=False) for character in text)
        return [token for tokens in characters for token in tokens]

    def read(text, grammar):
        written = grammar(AnswerGrammar(marks if are_tokens else {}))
        matcher = LLMatcher(tokenizer, LLMatcher.grammar_from_lark(written), log_level=0)
        assert not matcher.get_error()
        tokens = tokens_of(text)
        return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()

    return read


def tools(**rules):
    rules = {"is_required": False, "in_parallel": True, **rules}
    return lambda grammar: grammar.tools(HermesFormat(), TOOLS, **rules)


@pytest.mark.parametrize(
    "text", [CALL, OTHER, "Hi", f"Ok {CALL}", f"{CALL}\n{OTHER}", f"{CALL} and\n\n{CALL} done", ""]
)
def test_calls_may_stand_anywhere_in_text(reads, text):
    assert reads(text, tools())


@pytest.mark.parametrize(
    "text",
    ["<tool_call>hm", CALL.replace("weather", "wetter"), CALL.replace("Rome", '", "x": "'), CALL.removesuffix(">")],
)
def test_a_call_once_begun_is_one_of_the_tools_whole(reads, text):
    assert not reads(text, tools())


def test_required_calls_have_no_text_around_them(reads):
    assert [reads(text, tools(is_required=True)) for text in (CALL, f"{CALL}\n{OTHER}", "Hi", f"Ok {CALL}", f"{CALL} ok")] == [
        True, True, False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize("is_required", [True, False])
def test_one_call_is_the_end_where_calls_are_not_parallel(reads, is_required):
    rules = {"is_required": is_required, "in_parallel": False}
    assert [reads(text, tools(**rules)) for text in (CALL, f"{CALL}\n{CALL}")] == [True, False]


def test_json_beside_tools_is_one_or_the_other(reads):
    rules = tools(answer_schema={"type": "object", "properties": {"a": {"const": 1}}})
    assert [reads(text, rules) for text in ('{"a":1}', CALL, "Hi", '{"a":2}', f'{{"a":1}}{CALL}')] == [
        True, True, False, False, False,
    ]  # fmt: skip


def test_without_a_form_of_thinking_there_is_none_before_an_answer(reads):
    assert not reads(f"<think>hm</think>{CALL}", tools(is_required=True))


def test_thinking_may_stand_before_required_calls_and_must_be_closed_where_the_prompt_opened_it(reads):
    thought = f"<think>hm</think>\n\n{CALL}"
    assert reads(thought, tools(is_required=True, thinking=CLOSED))
    assert reads(CALL, tools(is_required=True, thinking=CLOSED))
    assert reads(f"hm</think>\n\n{CALL}", tools(is_required=True, thinking=OPENED))
    assert not reads(CALL, tools(is_required=True, thinking=OPENED))


@pytest.mark.parametrize(
    ("thinking", "before"), [(CLOSED, "<think>hm</think>\n"), (CLOSED, ""), (OPENED, "hm</think>")]
)
def test_thinking_before_json_is_free_and_the_json_is_not(reads, thinking, before):
    schema = '{"type": "object", "properties": {"a": {"const": 1}}}'
    assert reads(f'{before}{{"a":1}}', lambda grammar: grammar.json(schema, thinking))
    assert not reads(f'{before}{{"a":2}}', lambda grammar: grammar.json(schema, thinking))
