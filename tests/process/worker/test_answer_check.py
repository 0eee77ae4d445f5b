"""Every answer that is promised to be valid is checked once more at its end, behind thinking and within calls too.

What is drawn is held to its schema, so what would break it is pretended here: another verdict on the answer, or an answer that nothing
held.
"""

import json

import pytest

from engine.events import ChoiceFinished, Failed, ToolCallDelta
from engine.llama.json_schemas import JsonSchema
from engine.llama.library import LlamaError
from engine.request import ChatPrompt, JsonConstraint, ToolUse
from engine.worker.answer_form import AnswerForm
from engine.worker.output import AnswerOutput
from engine.worker.stop_strings import StopStrings
from tests.process.worker.inprocess import request

THINKING = "{% if enable_thinking %}{% endif %}{{ messages }}<think></think>"
DIGIT = {"type": "object", "properties": {"a": {"type": "integer", "maximum": 9}}, "required": ["a"]}
DIGIT_ALONE = {**DIGIT, "additionalProperties": False}
FORECAST = {"type": "function", "function": {"name": "forecast", "parameters": DIGIT_ALONE}}
JSON = JsonConstraint(schema=json.dumps(DIGIT_ALONE))


def asked(**changes):
    prompt = ChatPrompt(messages=({"role": "user", "content": "Hello!"},), tools=(FORECAST,))
    return request("", prompt=prompt, max_tokens=60, **changes)


CALL = asked(tool_use=ToolUse(is_required=True, in_parallel=False))
STRICT = asked(tool_use=ToolUse(strict=("forecast",)))
PLAIN = request("Hello!", constraint=JSON, max_tokens=60)


@pytest.fixture
def seen(monkeypatch):
    """The answers that were checked."""
    answers = []
    violation = JsonSchema.violation
    monkeypatch.setattr(JsonSchema, "violation", lambda self, answer: answers.append(answer) or violation(self, answer))
    return answers


@pytest.mark.parametrize("asked_for", [PLAIN, CALL])
def test_what_is_checked_is_what_the_reader_gets(model, seen, asked_for):
    [answer] = model.run(asked_for)
    given = "".join(event.arguments for event in answer.events if isinstance(event, ToolCallDelta)) or answer.text
    assert seen == [given.encode()]


def test_what_is_cut_or_not_promised_is_not_checked(model, seen):
    model.run(request("Hello!", constraint=JSON, max_tokens=2), STRICT, request("Hello!"))
    assert seen == []


@pytest.mark.parametrize("asked_for", [PLAIN, CALL])
def test_an_answer_that_is_not_valid_fails_its_request_and_no_other(model, monkeypatch, asked_for):
    monkeypatch.setattr(JsonSchema, "violation", lambda self, answer: "it is blue")
    bad, good = model.run(asked_for, request("Hello!"))
    [failed] = bad.endings
    assert isinstance(failed, Failed)
    assert (failed.code, "it is blue" in failed.message) == ("internal", True)
    assert not any(isinstance(event, ChoiceFinished) for event in bad.events)
    assert good.text


@pytest.mark.parametrize(("text", "is_valid"), [('<think>{"b</think>{"a":1}', True), ("<think>hm</think>10", False)])
def test_json_behind_thinking_is_checked_without_the_thinking(model, text, is_valid):
    form, wanted = AnswerForm(model.worker.model, THINKING), asked(constraint=JSON, split_reasoning=True)
    output = AnswerOutput(
        0, stop=StopStrings(()), parser=form.parser(wanted, [1]), marks=form.marks, check=form.check(wanted)
    )
    tokens = model.worker.model.tokenize(text, add_special=False, parse_special=True)
    events = [event for token in tokens for event in output.push(token, model.worker.model.piece(token))]
    ending = output.finish("stop", completion_tokens=len(tokens), cumulative_logprob=None)
    if is_valid:
        assert isinstance([*events, *ending][-1], ChoiceFinished)
    else:
        with pytest.raises(LlamaError, match="not valid under the schema"):
            list(ending)
