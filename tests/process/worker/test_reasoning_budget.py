"""Thinking that has used up its budget is closed and the answer goes on, whatever else the answer is held to."""

import json

import pytest

from engine.errors import EngineError
from engine.events import ReasoningDelta, TextDelta, ToolCallDelta
from engine.request import (
    ChatPrompt,
    ChoiceConstraint,
    GrammarConstraint,
    JsonConstraint,
    RegexConstraint,
    SamplingParams,
    ToolUse,
)
from tests.process.worker.inprocess import InProcess, load, request
from tests.thinking_model import write_thinking_model

QUESTION = "What is the capital of France?"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string", "maxLength": 20}}, "required": ["city"]}
TOOL = {"type": "function", "function": {"name": "capital", "parameters": {"type": "object"}}}


@pytest.fixture(scope="module", params=[True, False], ids=["marks-are-tokens", "marks-are-text"])
def worker(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "thinking.gguf"
    with load(write_thinking_model(path, marks_are_tokens=request.param)) as loaded:
        yield loaded


@pytest.fixture
def thinker(worker):
    in_process = InProcess(worker)
    in_process.generator.forget_cached_prefixes()
    return in_process


def asked(budget, *, tools=(), effort=None, **changes):
    messages = ({"role": "user", "content": QUESTION},)
    prompt = ChatPrompt(messages=messages, tools=tools, reasoning_effort=effort)
    values = {"prompt": prompt, "split_reasoning": True, "reasoning_budget_tokens": budget, "max_tokens": 60, **changes}
    return request("", **values)


def thoughts(answer, index=0):
    return "".join(event.text for event in answer.events if isinstance(event, ReasoningDelta) and event.index == index)


def test_without_a_budget_thinking_goes_on(thinker):
    [answer] = thinker.run(asked(None))
    assert answer.text == ""
    assert len(thoughts(answer)) > 20


@pytest.mark.parametrize("budget", [0, 1, 5])
def test_thinking_stops_at_its_budget_and_the_answer_follows(thinker, budget):
    unlimited, answer = thinker.run(asked(None), asked(budget))
    assert thoughts(unlimited).startswith(thoughts(answer))
    assert bool(thoughts(answer)) is (budget > 0)
    assert answer.text
    assert "think>" not in answer.text + thoughts(answer)
    closing_tokens = answer.usage.reasoning_tokens - budget
    assert 1 <= closing_tokens <= 8
    assert answer.usage.completion_tokens > answer.usage.reasoning_tokens


def test_a_budget_that_is_not_used_up_changes_nothing(thinker):
    unlimited, answer = thinker.run(asked(None), asked(500))
    assert (thoughts(answer), answer.text, answer.usage) == (thoughts(unlimited), unlimited.text, unlimited.usage)


@pytest.mark.parametrize(
    ("constraint", "is_right"),
    [
        (JsonConstraint(schema=json.dumps(SCHEMA)), lambda text: isinstance(json.loads(text)["city"], str)),
        (RegexConstraint(regex="[0-9]{3}"), lambda text: text.isdigit() and len(text) == 3),
        (ChoiceConstraint(choices=("Paris", "Rome")), lambda text: text in ("Paris", "Rome")),
    ],
)
@pytest.mark.parametrize("budget", [0, 4])
def test_the_answer_behind_it_is_held_to_its_constraint(thinker, constraint, is_right, budget):
    [answer] = thinker.run(asked(budget, constraint=constraint, max_tokens=100))
    assert is_right(answer.text)
    assert answer.finish_reasons == ["stop"]


@pytest.mark.parametrize("is_required", [True, False])
def test_calls_follow_it(thinker, is_required):
    use = ToolUse(is_required=is_required, in_parallel=False)
    [answer] = thinker.run(asked(3, tools=(TOOL,), tool_use=use, max_tokens=100))
    assert thoughts(answer)
    assert any(isinstance(event, ToolCallDelta) for event in answer.events) or not is_required
    assert answer.endings[0].usage.reasoning_tokens <= 11


def test_each_of_several_answers_has_its_own(thinker):
    sampling = SamplingParams(temperature=1.5, seed=3)
    [answer] = thinker.run(asked(4, n=3, sampling=sampling))
    assert all(thoughts(answer, index) for index in range(3))
    assert 3 * 4 <= answer.usage.reasoning_tokens <= 3 * 12


def test_guesses_change_nothing(thinker):
    plain, guessed = thinker.run(asked(4), asked(4, prediction="The capital of France is Paris."))
    assert (thoughts(plain), plain.text) == (thoughts(guessed), guessed.text)


def test_log_probabilities_are_those_of_the_answer(thinker):
    [answer] = thinker.run(asked(2, logprobs=0))
    reported = [entry for event in answer.events if isinstance(event, TextDelta) for entry in event.logprobs]
    assert len(reported) >= len(answer.text.split())


def test_the_limit_of_tokens_counts_the_closing_mark(thinker):
    [answer] = thinker.run(asked(3, max_tokens=4))
    assert (answer.usage.completion_tokens, answer.finish_reasons) == (4, ["length"])


def test_a_template_that_closes_thinking_itself_leaves_nothing_to_end(thinker):
    plain, limited = thinker.run(asked(None, effort="none"), asked(0, effort="none"))
    assert plain.text == limited.text != ""
    assert limited.usage.reasoning_tokens == 0


def test_a_grammar_holds_an_answer_from_its_start_where_thinking_is_switched_off(thinker):
    grammar = GrammarConstraint(grammar='root ::= "yes" | "no"')
    [answer] = thinker.run(asked(None, effort="none", constraint=grammar))
    assert answer.text in ("yes", "no")
    with pytest.raises(EngineError, match="switch thinking off"):
        thinker.run(asked(None, constraint=grammar))


@pytest.mark.parametrize(
    ("begun", "thinks"),
    [
        ({"content": "", "reasoning_content": "The capital of"}, True),
        ({"content": "<think>\nThe capital of"}, True),
        ({"content": "<think>\nHm.\n</think>\n\nThe capital of"}, False),
        ({"content": "The capital of"}, False),
    ],
)
def test_thinking_that_the_conversation_begins_goes_on_and_is_bounded(thinker, begun, thinks):
    messages = ({"role": "user", "content": QUESTION}, {"role": "assistant", **begun})
    prompt = ChatPrompt(messages=messages, continue_final_message=True)
    [answer] = thinker.run(asked(2, prompt=prompt))
    assert bool(thoughts(answer)) is thinks
    assert answer.text
    assert "think>" not in answer.text
