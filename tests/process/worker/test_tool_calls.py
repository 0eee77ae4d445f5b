"""Calls that are forced, limited or held to a schema come out of a real model whole and valid, whatever it is inclined to say."""

import json
import re

import jsonschema_rs
import pytest

from engine.errors import EngineError
from engine.events import ToolCallDelta
from engine.request import ChatPrompt, GrammarConstraint, JsonConstraint, RegexConstraint, SamplingParams, ToolUse
from engine.worker.answer_form import AnswerForm
from tests.process.worker.inprocess import request

SCHEMA = {
    "type": "object",
    "properties": {"unit": {"$ref": "#/$defs/unit"}, "days": {"type": "integer", "minimum": 1, "maximum": 9}},
    "required": ["unit", "days"],
    "additionalProperties": False,
    "$defs": {"unit": {"enum": ["C", "F"]}},
}
FORECAST = {"type": "function", "function": {"name": "forecast", "parameters": SCHEMA}}
TIME = {"type": "function", "function": {"name": "time"}}
BEYOND = {
    "type": "function",
    "function": {"name": "beyond", "parameters": {"type": "object", "not": {"required": ["a"]}}},
}


def asked(use, *, text="Hello!", tools=(FORECAST, TIME), **changes):
    prompt = ChatPrompt(messages=({"role": "user", "content": text},), tools=tuple(tools))
    return request("", prompt=prompt, tool_use=use, **{"max_tokens": 120, **changes})


def calls(answer):
    deltas = [event for event in answer.events if isinstance(event, ToolCallDelta)]
    joined = {delta.call_index: "" for delta in deltas}
    for delta in deltas:
        joined[delta.call_index] += delta.arguments
    return [(delta.name, json.loads(joined[delta.call_index])) for delta in deltas if delta.name is not None]


@pytest.mark.parametrize("text", ["Hello!", "What is 2 + 3?"])
def test_a_required_call_is_made_whatever_was_asked(model, text):
    [answer] = model.run(asked(ToolUse(is_required=True, in_parallel=False), text=text))
    assert answer.finish_reasons == ["tool_calls"]
    assert len(calls(answer)) == 1
    assert answer.text == ""


def test_a_call_comes_piece_by_piece_with_its_name_first(model):
    [answer] = model.run(asked(ToolUse(is_required=True, names=("forecast",), in_parallel=False)))
    first, *further = [event for event in answer.events if isinstance(event, ToolCallDelta)]
    assert (first.name, first.id is not None, first.arguments) == ("forecast", True, "")
    assert len(further) > 5
    assert all(delta.name is None and delta.id is None and delta.arguments for delta in further)


def test_a_call_cut_by_the_limit_comes_as_far_as_it_goes_and_says_length(model):
    [answer] = model.run(asked(ToolUse(is_required=True, names=("forecast",), in_parallel=False), max_tokens=20))
    assert answer.finish_reasons == ["length"]
    arguments = "".join(event.arguments for event in answer.events if isinstance(event, ToolCallDelta))
    assert arguments.startswith("{")
    assert not arguments.endswith("}")
    assert answer.text == ""


@pytest.mark.parametrize("name", ["\x7f", "\x9c\x1b", "\N{GRINNING FACE}", 'a "b" \\ c'])
def test_a_tool_may_be_called_anything(model, name):
    odd = {"type": "function", "function": {**FORECAST["function"], "name": name}}
    [answer] = model.run(asked(ToolUse(is_required=True, in_parallel=False), tools=[odd], max_tokens=400))
    assert [called for called, _ in calls(answer)] == [name]


@pytest.mark.parametrize("seed", range(4))
def test_a_named_function_is_called_with_arguments_valid_under_its_schema(model, seed):
    use = ToolUse(is_required=True, names=("forecast",), in_parallel=False)
    [answer] = model.run(asked(use, sampling=SamplingParams(temperature=1.5, seed=seed)))
    [(name, arguments)] = calls(answer)
    assert name == "forecast"
    assert jsonschema_rs.is_valid(SCHEMA, arguments)


def test_a_call_the_model_makes_by_itself_is_held_to_its_tools_schema(model):
    weather = {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"enum": ["Oslo"]}},
               "required": ["city"], "additionalProperties": False}}  # fmt: skip
    tools = [{"type": "function", "function": {**weather, "description": "Get the weather"}}]
    [answer] = model.run(asked(ToolUse(), text="What is the weather in Paris?", tools=tools))
    assert calls(answer) == [("get_weather", {"city": "Oslo"})]


def test_where_no_call_has_to_be_made_the_model_may_just_answer(model):
    [answer] = model.run(asked(ToolUse(strict=("forecast",))))
    assert calls(answer) == []
    assert answer.text
    assert answer.finish_reasons == ["stop"]


def test_json_beside_tools_is_either_a_call_or_a_valid_document(model):
    constraint = JsonConstraint(
        schema=json.dumps({"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"]})
    )
    [answer] = model.run(asked(ToolUse(), text="What is 2 + 3?", constraint=constraint))
    assert calls(answer) or isinstance(json.loads(answer.text)["a"], bool)


@pytest.mark.parametrize("use", [ToolUse(strict=("beyond",)), ToolUse(is_required=True)])
def test_a_schema_that_cannot_be_enforced_is_refused_where_it_must_be(model, use):
    with pytest.raises(EngineError, match="not") as refusal:
        model.run(asked(use, tools=[BEYOND]))
    assert (refusal.value.code, refusal.value.param) == ("unsupported_schema", "tools[0]")


def test_a_schema_that_cannot_be_enforced_does_no_harm_where_nobody_insists(model):
    [answer] = model.run(asked(ToolUse(), tools=[BEYOND]))
    assert answer.finish_reasons == ["stop"]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "minimum": -(1 << 64), "maximum": -(1 << 63)},
        {"anyOf": [{"type": "integer", "minimum": -1e19, "maximum": -1e19}, {"type": "null"}]},
    ],
)
def test_a_schema_that_would_crash_its_compiler_does_no_harm_where_nobody_insists(model, schema):
    parameters = {"type": "object", "properties": {"a": schema}, "required": ["a"]}
    tool = {"type": "function", "function": {"name": "hostile", "parameters": parameters}}
    [answer] = model.run(asked(ToolUse(), tools=(tool,), max_tokens=3))
    assert answer.finish_reasons


def test_a_schema_that_cannot_be_enforced_frees_no_other_tool(model):
    weather = {"name": "get_weather", "description": "Get the weather", "parameters": {"type": "object",
               "properties": {"city": {"enum": ["Oslo"]}}, "required": ["city"], "additionalProperties": False}}  # fmt: skip
    tools = [{"type": "function", "function": weather}, BEYOND]
    [answer] = model.run(asked(ToolUse(), text="What is the weather in Paris?", tools=tools))
    assert calls(answer) == [("get_weather", {"city": "Oslo"})]


NOTE = {
    "type": "function",
    "function": {"name": "note", "parameters": {"type": "object", "properties": {"input": {"type": "string"}}}},
}


PAIRS = r"""
start: "{\"" WORD pair? "\n}"
pair: "{\"" WORD
WORD: /[ab]/
"""


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (RegexConstraint(regex='^say "[a-c]{3}"\\n$'), 'say "[a-c]{3}"\n'),
        (RegexConstraint(regex="(?P<sign>x|y)+z"), "[xy]+z"),
        (GrammarConstraint(grammar=PAIRS), r'({"[ab]){1,2}\n}'),
    ],
)  # fmt: skip
@pytest.mark.parametrize("seed", range(3))
def test_the_input_of_a_tool_that_takes_text_is_held_to_its_grammar(model, held, expected, seed):
    use = ToolUse(is_required=True, in_parallel=False, inputs={"note": held})
    [answer] = model.run(asked(use, tools=[NOTE], sampling=SamplingParams(temperature=1.5, seed=seed), max_tokens=400))
    [(name, arguments)] = calls(answer)
    assert name == "note"
    assert re.fullmatch(expected, arguments["input"])


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        (RegexConstraint(regex="a)(b"), "unopened"),
        (RegexConstraint(regex="a(?=b)"), "look-around"),
        (GrammarConstraint(grammar="start: missing"), "missing"),
        (GrammarConstraint(grammar="start: <think>"), "<think>"),
    ],
)
def test_a_grammar_that_cannot_be_held_is_refused_naming_its_tool(model, held, reason):
    with pytest.raises(EngineError, match=reason) as refusal:
        model.run(asked(ToolUse(inputs={"note": held}), tools=[TIME, NOTE]))
    assert (refusal.value.code, refusal.value.param) == ("unsupported_schema", "tools[1]")


def test_a_form_of_calls_that_is_not_known_cannot_be_forced(model):
    form = AnswerForm(model.worker.model, "{{ messages }}")
    with pytest.raises(EngineError, match="form of this model's tool calls is not known") as refusal:
        form.constraint(asked(ToolUse(is_required=True)), [1])
    assert refusal.value.param == "tool_choice"


def test_a_form_of_answer_that_could_be_taken_for_a_call_cannot_stand_beside_tools(model):
    with pytest.raises(EngineError, match="only JSON can") as refusal:
        model.run(asked(ToolUse(), constraint=RegexConstraint(regex="a+")))
    assert refusal.value.param == "regex"
