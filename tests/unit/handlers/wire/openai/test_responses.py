"""Responses: each field of a request that is honoured, and what of it comes back with the answer."""

from typing import Any

import pytest

from engine import ChatPrompt, GrammarConstraint, JsonConstraint, SamplingParams, ToolUse
from handlers.wire.openai import responses as wire
from handlers.wire.openai.envelope import Envelope
from handlers.wire.openai.responses_input import parse_input
from handlers.wire.refusal import InvalidParameter
from tests.unit.handlers.wire.llama_cpp_samplers import LLAMA_CPP_FIELDS, LLAMA_CPP_PARAMS
from tests.unit.handlers.wire.scripted import conforming, entry

ENVELOPE = Envelope("resp_1", 1_763_000_000, "demo", "fp_1")
LOGPROBS = "message.output_text.logprobs"
FUNCTION = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
CUSTOM = {"type": "custom", "name": "run", "format": {"type": "grammar", "syntax": "lark", "definition": "start: /a+/"}}


def body(**fields: Any) -> Any:
    return conforming({"model": "demo", "input": "Hi", **fields}, "openai", "CreateResponse")


def parse(model: Any = None, **fields: Any) -> Any:
    given = body(**fields)
    return wire.parse(given, model or entry(), parse_input(given))


def test_without_options_it_samples_the_plain_distribution_until_the_model_ends() -> None:
    request = parse()
    assert request.sampling == SamplingParams(temperature=1.0, top_p=1.0)
    assert request.prompt == ChatPrompt(messages=({"role": "user", "content": "Hi"},))
    assert (request.max_tokens, request.logprobs, request.truncate_prompt, request.tool_use) == (
        None,
        None,
        False,
        None,
    )
    assert request.split_reasoning


def test_null_means_the_default_for_every_field_that_may_be_null() -> None:
    nullable = (
        "instructions",
        "max_output_tokens",
        "max_tool_calls",
        "temperature",
        "top_p",
        "top_logprobs",
        "include",
    )
    others = ("parallel_tool_calls", "reasoning", "truncation", "stream", "stream_options", "store", "metadata")
    stored = ("previous_response_id", "conversation", "background", "prompt", "context_management", "moderation")
    ours = ("seed", "stop", "logit_bias", "frequency_penalty", "presence_penalty", "top_k", "keep_alive", "grammar")
    assert parse(**dict.fromkeys((*nullable, *others, *stored, *ours))) == parse()


def test_every_sampling_field_reaches_the_engine() -> None:
    fields = {"temperature": 0.5, "top_p": 0.25, "top_k": 7, "presence_penalty": -2, "frequency_penalty": 2, "seed": 3}
    assert parse(**fields, logit_bias={"5": -100}).sampling == SamplingParams(**fields, logit_bias={5: -100.0})
    assert parse(**LLAMA_CPP_FIELDS).sampling == SamplingParams(**LLAMA_CPP_PARAMS)


def test_limits_stops_and_truncation_reach_the_engine() -> None:
    request = parse(max_output_tokens=20, stop="END", truncation="auto", cache_salt="s", keep_alive="1m")
    assert (request.max_tokens, request.stop, request.truncate_prompt) == (20, ("END",), True)
    assert (request.cache_salt, request.keep_alive_seconds) == ("s", 60)


def test_log_probabilities_are_asked_for_by_name() -> None:
    assert parse(include=[LOGPROBS]).logprobs == 0
    assert parse(include=[LOGPROBS], top_logprobs=5).logprobs == 5
    with pytest.raises(InvalidParameter, match="include must have") as refusal:
        parse(top_logprobs=5)
    assert refusal.value.param == "top_logprobs"


@pytest.mark.parametrize(
    ("form", "constraint"),
    [
        ({}, None),
        ({"format": {"type": "text"}}, None),
        ({"format": {"type": "json_object"}}, JsonConstraint(schema='{"type":"object"}')),
        ({"format": {"type": "json_schema", "name": "x", "schema": {"type": "array"}}}, JsonConstraint(schema='{"type":"array"}')),
    ],
)  # fmt: skip
def test_the_texts_format_becomes_a_constraint(form: Any, constraint: JsonConstraint | None) -> None:
    assert parse(text=form).constraint == constraint


def test_only_one_thing_is_kept_to() -> None:
    assert parse(grammar='root ::= "a"').constraint == GrammarConstraint(grammar='root ::= "a"')
    with pytest.raises(InvalidParameter, match="contradicts"):
        parse(regex="a", text={"format": {"type": "json_object"}})
    with pytest.raises(InvalidParameter, match="tools"):
        parse(regex="a", tools=[FUNCTION])


def test_effort_and_budget_reach_a_model_that_thinks_and_are_refused_by_others() -> None:
    thinking = entry(capabilities=("completion", "thinking"))
    request = parse(thinking, reasoning={"effort": "low", "summary": "auto"}, reasoning_budget_tokens=5)
    assert (request.prompt.reasoning_effort, request.reasoning_budget_tokens) == ("low", 5)
    with pytest.raises(InvalidParameter) as refusal:
        parse(reasoning={"effort": "high"})
    assert refusal.value.param == "reasoning.effort"
    with pytest.raises(InvalidParameter, match=r"contradicts reasoning\.effort"):
        parse(thinking, reasoning={"effort": "none"}, reasoning_budget_tokens=5)


class TestTools:
    def test_flat_tools_are_shown_as_templates_expect_them(self) -> None:
        tool = {**FUNCTION, "description": "Tells", "strict": True}
        request = parse(tools=[tool])
        function = {"name": "weather", "description": "Tells", "parameters": {"type": "object"}}
        assert request.prompt.tools == ({"type": "function", "function": function},)
        assert request.tool_use == ToolUse(strict=("weather",))

    def test_what_is_null_is_left_out(self) -> None:
        [shown] = parse(
            tools=[{"type": "function", "name": "f", "description": None, "parameters": None, "strict": None}]
        ).prompt.tools
        assert shown == {"type": "function", "function": {"name": "f"}}

    def test_a_custom_tools_input_is_held_to_its_grammar(self) -> None:
        request = parse(tools=[CUSTOM])
        assert request.tool_use.inputs == {"run": GrammarConstraint(grammar="start: /a+/")}
        assert request.prompt.tools[0]["function"]["name"] == "run"

    @pytest.mark.parametrize(
        ("choice", "use"),
        [
            ("auto", ToolUse(inputs={"run": GrammarConstraint(grammar="start: /a+/")})),
            ("none", None),
            ({"type": "function", "name": "weather"}, ("weather",)),
            ({"type": "custom", "name": "run"}, ("run",)),
            ({"type": "allowed_tools", "mode": "required", "tools": [{"type": "custom", "name": "run"}]}, ("run",)),
        ],
    )
    def test_a_choice_is_flat_too(self, choice: Any, use: Any) -> None:
        found = parse(tools=[FUNCTION, CUSTOM], tool_choice=choice).tool_use
        if isinstance(use, tuple):
            assert (found.is_required, found.names) == (True, use)
        else:
            assert found == use

    def test_calls_in_parallel_may_be_ruled_out(self) -> None:
        assert not parse(tools=[FUNCTION], parallel_tool_calls=False).tool_use.in_parallel

    @pytest.mark.parametrize(
        ("fields", "param"),
        [
            ({"tool_choice": "required"}, "tool_choice"),
            ({"tool_choice": {"type": "function", "name": "f"}, "tools": [FUNCTION]}, "tool_choice.name"),
            ({"tool_choice": {"type": "custom", "name": "weather"}, "tools": [FUNCTION]}, "tool_choice.name"),
            ({"tools": [FUNCTION, {**CUSTOM, "name": "weather"}]}, "tools[1].name"),
            (
                {"tools": [FUNCTION], "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "mcp"}]}},
                "tool_choice.tools[0]",
            ),
            ({"tools": [FUNCTION], "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": []}}, "tool_choice.tools"),
        ],
    )  # fmt: skip
    def test_what_does_not_fit_together_is_refused_by_name(self, fields: Any, param: str) -> None:
        with pytest.raises(InvalidParameter) as refusal:
            parse(**fields)
        assert refusal.value.param == param


def test_what_the_engine_refuses_is_named_as_the_body_has_it() -> None:
    given = body(input=[{"role": "user", "content": "Hi"}], instructions="Be brief.", tools=[FUNCTION, CUSTOM])
    names = wire.names(given, parse_input(given))
    assert (names["messages[0]"], names["messages[1]"]) == ("instructions", "input[0]")
    assert (names["tools[0]"], names["tools[1]"]) == ("tools[0].parameters", "tools[1].format.definition")
    assert names["schema"] == "text.format.schema"


def test_an_answer_says_what_it_was_asked_with() -> None:
    frame = wire.form(
        body(instructions="Be brief.", metadata={"a": "b"}, max_output_tokens=20, tools=[FUNCTION, CUSTOM], user="me"),
        ENVELOPE,
    ).frame
    assert frame["instructions"] == "Be brief."
    assert (frame["metadata"], frame["max_output_tokens"], frame["user"]) == ({"a": "b"}, 20, "me")
    assert frame["tools"] == [{**FUNCTION, "description": None, "strict": None}, CUSTOM]
    assert (frame["store"], frame["tool_choice"], frame["text"]) == (False, "auto", {"format": {"type": "text"}})


def test_what_was_not_asked_is_answered_with_its_default() -> None:
    frame = wire.form(body(), ENVELOPE).frame
    assert (frame["temperature"], frame["top_p"], frame["parallel_tool_calls"]) == (1.0, 1.0, True)
    assert (frame["instructions"], frame["metadata"], frame["tools"]) == (None, {}, [])
