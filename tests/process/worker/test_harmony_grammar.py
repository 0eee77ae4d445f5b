"""The grammar of gpt-oss' answers, with a real vocabulary whose control tokens stand for its marks, and with marks that are plain text."""

import pytest

from engine.chat.answers.reasoning import Thinking, reasoning_format
from engine.chat.tool_formats.form import CallableTool
from engine.chat.tool_formats.harmony import HarmonyFormat
from tests.process.worker.spelled import messages_acceptor

FORM = HarmonyFormat()
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOLS = (CallableTool("weather", CITY, is_strict=True), CallableTool("now", {"type": "object"}, is_strict=False))
THOUGHT = "<|channel|>analysis<|message|>Hm\nso<|end|><|start|>assistant"
WORDS = "<|channel|>commentary<|message|>I look.<|end|><|start|>assistant"
CALL = '<|channel|>commentary to=functions.weather <|constrain|>json<|message|>{"city": "Rome"}'
FINAL = "<|channel|>final<|message|>"
MARKS = reasoning_format("<|start|><|channel|><|message|>")
CLOSED, OPENED = Thinking(MARKS), Thinking(MARKS, MARKS.opening)


@pytest.fixture(params=["tokens", "text"])
def reads(request, shared_worker):
    """Whether an answer may be exactly this text."""
    return messages_acceptor(shared_worker.model, FORM, FORM.marks if request.param == "tokens" else ())


def tools(**rules):
    rules = {"is_required": False, "in_parallel": True, "thinking": CLOSED, **rules}
    return lambda grammar: grammar.tools(FORM, TOOLS, **rules)


@pytest.mark.parametrize(
    "text", [CALL, THOUGHT + CALL, THOUGHT + WORDS + CALL, f"{THOUGHT}{FINAL}Hello", f"{FINAL}", THOUGHT * 2 + CALL]
)
def test_an_answer_is_a_call_or_a_final_message_behind_thoughts(reads, text):
    assert reads(text, tools())


@pytest.mark.parametrize(
    "text",
    [
        CALL.replace("weather", "wetter"),
        CALL.replace("Rome", '", "x": "'),
        CALL + "x",
        "Hello",
        THOUGHT,
        CALL.replace("json", ""),
    ],
)
def test_a_call_once_begun_is_one_of_the_tools_whole(reads, text):
    assert not reads(text, tools())


def test_a_required_call_is_made_behind_any_thoughts(reads):
    required = tools(is_required=True)
    assert [reads(text, required) for text in (CALL, THOUGHT + CALL, f"{FINAL}Hello")] == [True, True, False]


def test_a_thought_that_the_prompt_opened_is_ended_first(reads):
    assert reads(f"so<|end|><|start|>assistant{CALL}", tools(thinking=OPENED))
    assert not reads(CALL, tools(thinking=OPENED, is_required=True))


@pytest.mark.parametrize("header", [FINAL, "<|channel|>final <|constrain|>json<|message|>"])
def test_json_is_the_final_message(reads, header):
    schema = '{"type": "object", "properties": {"a": {"const": 1}}}'
    assert reads(f'{THOUGHT}{header}{{"a":1}}', lambda grammar: grammar.json(schema, CLOSED))
    assert not reads(f'{THOUGHT}{header}{{"a":2}}', lambda grammar: grammar.json(schema, CLOSED))
    beside = tools(answer_schema={"type": "object", "properties": {"a": {"const": 1}}})
    assert [reads(text, beside) for text in (f'{header}{{"a":1}}', CALL, f"{FINAL}Hello")] == [True, True, False]
    assert not reads(f'{WORDS}{header}{{"a":1}}', beside)


def test_a_choice_is_the_final_message(reads):
    assert reads(f"{THOUGHT}{FINAL}yes", lambda grammar: grammar.choice(["yes", "no"], CLOSED))
    assert not reads(f"{FINAL}maybe", lambda grammar: grammar.choice(["yes", "no"], CLOSED))
    assert reads(f"{FINAL}12", lambda grammar: grammar.regex("[0-9]+", CLOSED))
