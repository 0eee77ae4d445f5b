"""Tool calls on the wire, streamed and whole: ids and names first, each call under its number, and an end that says how it ended."""

import json
import re

import openai
import pytest

from tests.live.clients import WEATHER_TOOL, ask

TWO_CITIES = ask("What is the weather in Paris and in Rome?")
CALCULATOR = {
    "type": "function",
    "function": {
        "name": "calculator",
        "description": "Calculates",
        "parameters": {"type": "object", "properties": {"expression": {"type": "string"}}, "required": ["expression"]},
    },
}
PATCH = r"""
start: "*** Begin" LF line+ "*** End" LF?
line: ("+" | "-") /[a-z "]{1,8}/ LF
%import common.LF
"""
CODE = {
    "type": "custom",
    "custom": {
        "name": "run_code",
        "description": "Runs code",
        "format": {"type": "grammar", "grammar": {"syntax": "regex", "definition": r'print\("[a-z]{1,6}"\)\n'}},
    },
}
EDIT = {
    "type": "custom",
    "custom": {
        "name": "edit",
        "description": "Edits",
        "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": PATCH}},
    },
}


@pytest.fixture
def client(server):
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="unused", max_retries=0) as client:
        yield client


@pytest.fixture
def chat(client, model):
    """A greedy chat completion with a tool unless the fields say otherwise."""

    def create(**fields):
        defaults = {"messages": ask("What is the weather in Paris?"), "tools": [WEATHER_TOOL], "temperature": 0}
        return client.chat.completions.create(model=model, **{"max_completion_tokens": 100, **defaults, **fields})

    return create


def accumulated(stream, index=0):
    """What the chunks of one choice say: its calls by their number, its text, its finish reasons."""
    calls, text, reasons = {}, "", []
    for choice in [choice for chunk in stream for choice in chunk.choices if choice.index == index]:
        text += choice.delta.content or ""
        reasons += [choice.finish_reason] if choice.finish_reason else []
        for delta in choice.delta.tool_calls or ():
            body = delta.function or delta.model_extra["custom"]
            piece = body if isinstance(body, dict) else body.model_dump(exclude_none=True)
            if delta.index not in calls:
                assert delta.id
                assert piece["name"]
                calls[delta.index] = {"id": delta.id, "type": delta.type, "name": piece["name"], "text": ""}
            else:
                assert (delta.id, delta.type, "name" in piece) == (None, None, False)
            calls[delta.index]["text"] += piece.get("arguments", "") + piece.get("input", "")
    assert list(calls) == list(range(len(calls)))
    return list(calls.values()), text, reasons


def whole(choice):
    calls = choice.message.tool_calls or ()
    texts = [call.function.arguments if call.type == "function" else call.custom.input for call in calls]
    names = [call.function.name if call.type == "function" else call.custom.name for call in calls]
    return list(zip(names, texts, strict=True)), choice.message.content or "", [choice.finish_reason]


FIELDS = [
    {},
    {"messages": TWO_CITIES},
    {"messages": TWO_CITIES, "parallel_tool_calls": False},
    {"messages": ask("Hello!")},
    {"messages": ask("Hello!"), "tool_choice": "required", "parallel_tool_calls": False},
    {"tool_choice": "none"},
    {"tool_choice": WEATHER_TOOL},
    {"tools": [WEATHER_TOOL, CALCULATOR], "tool_choice": {"type": "function", "function": {"name": "calculator"}}},
    {
        "tools": [WEATHER_TOOL, CALCULATOR],
        "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [CALCULATOR]}},
    },
    {"tools": [CODE], "tool_choice": "required", "parallel_tool_calls": False},
    {"tools": [WEATHER_TOOL, EDIT], "tool_choice": {"type": "custom", "custom": {"name": "edit"}}},
    {"tools": [{"type": "custom", "custom": {"name": "note"}}], "tool_choice": "required"},
    *({"tool_choice": "required", "max_completion_tokens": length} for length in (1, 8, 14, 18)),
]


@pytest.mark.parametrize("fields", FIELDS)
def test_a_stream_accumulates_to_the_whole_answer(chat, fields):
    calls, text, reasons = accumulated(chat(stream=True, **fields))
    assert ([(call["name"], call["text"]) for call in calls], text, reasons) == whole(chat(**fields).choices[0])
    assert len({call["id"] for call in calls}) == len(calls)


@pytest.mark.parametrize("length", [1, 8, 14, 18])
def test_a_cut_call_says_length_and_is_a_beginning_of_the_whole_one(chat, length):
    (uncut,) = chat(tool_choice="required", parallel_tool_calls=False).choices
    (cut,) = chat(tool_choice="required", parallel_tool_calls=False, max_completion_tokens=length).choices
    assert (cut.finish_reason, cut.message.content or "") == ("length", "")
    for call in cut.message.tool_calls or ():
        assert uncut.message.tool_calls[0].function.arguments.startswith(call.function.arguments)


def test_only_what_is_named_or_allowed_is_called(chat):
    tools = [WEATHER_TOOL, CALCULATOR]
    allowed = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [CALCULATOR]}}
    for choice in (CALCULATOR, allowed):
        calls = chat(tools=tools, tool_choice=choice, parallel_tool_calls=False).choices[0].message.tool_calls
        assert [call.function.name for call in calls] == ["calculator"]
    assert chat(tools=tools, tool_choice="none").choices[0].message.tool_calls is None


def test_calls_in_parallel_are_one_after_the_other_and_without_it_there_is_one(chat):
    calls = chat(messages=TWO_CITIES).choices[0].message.tool_calls
    assert len({call.id for call in calls}) == len(calls) >= 1
    assert len(chat(messages=TWO_CITIES, parallel_tool_calls=False).choices[0].message.tool_calls) == 1


def test_each_of_several_answers_streams_its_own_calls(chat):
    fields = {"n": 2, "temperature": 1.5, "seed": 3, "tool_choice": "required", "parallel_tool_calls": False}
    chunks = list(chat(stream=True, stream_options={"include_usage": True}, **fields))
    answers = [accumulated(chunks, index) for index in (0, 1)]
    assert all(len(calls) == 1 and reasons == ["tool_calls"] and not text for calls, text, reasons in answers)
    assert answers[0][0][0]["id"] != answers[1][0][0]["id"]
    assert chunks[-1].usage.completion_tokens > 0


def test_log_probabilities_beside_calls_are_of_the_text_around_them(chat):
    choice = chat(logprobs=True, top_logprobs=2).choices[0]
    assert choice.message.tool_calls
    assert choice.logprobs.content == []
    assert accumulated(chat(logprobs=True, stream=True))[2] == ["tool_calls"]


def test_functions_in_the_older_form_are_streamed_in_that_form(chat):
    chunks = list(chat(tools=openai.omit, functions=[WEATHER_TOOL["function"]], stream=True))
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    first, *further = [delta.function_call for delta in deltas if delta.function_call]
    assert first.name == "get_weather"
    assert all(piece.name is None for piece in further)
    assert "city" in json.loads("".join(piece.arguments for piece in (first, *further)))
    assert [choice.finish_reason for choice in chunks[-1].choices] == ["function_call"]
    assert not any(delta.tool_calls for delta in deltas)


@pytest.mark.parametrize("choice", ["auto", "required"])
@pytest.mark.parametrize("parameters", [{"type": "string"}, {"type": ["array", "null"]}])
def test_arguments_that_could_be_no_object_are_refused(chat, choice, parameters):
    tool = {"type": "function", "function": {"name": "note", "parameters": parameters}}
    with pytest.raises(openai.BadRequestError, match="arguments of a call are an object") as failure:
        chat(tools=[WEATHER_TOOL, tool], tool_choice=choice)
    assert failure.value.param == "tools[1].function.parameters"


@pytest.mark.parametrize(
    "parameters",
    [
        {"anyOf": [{"type": "string"}, {"type": "object", "properties": {"city": {"type": "string"}}}]},
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": ["object", "string"], "required": ["a"]}}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}},
        {"enum": ["text", {"a": 1}]},
    ],
)
def test_arguments_are_an_object_whatever_else_their_schema_allows(chat, parameters):
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": parameters}}
    (call,) = chat(tools=[tool], parallel_tool_calls=False).choices[0].message.tool_calls
    assert isinstance(json.loads(call.function.arguments), dict)


def test_a_tool_needs_a_name(chat):
    with pytest.raises(openai.BadRequestError) as failure:
        chat(tools=[{"type": "function", "function": {"name": ""}}])
    assert failure.value.param == "tools[0].function.name"


class TestStreamHelper:
    def test_it_tells_of_the_arguments_and_parses_them(self, client, model):
        request = {"model": model, "messages": ask("What is the weather in Paris?"), "tools": [WEATHER_TOOL]}
        with client.chat.completions.stream(temperature=0, max_completion_tokens=100, **request) as stream:
            events = list(stream)
            (call,) = stream.get_final_completion().choices[0].message.tool_calls
        (done,) = [event for event in events if event.type == "tool_calls.function.arguments.done"]
        deltas = [event.arguments_delta for event in events if event.type == "tool_calls.function.arguments.delta"]
        assert "".join(deltas) == done.arguments == call.function.arguments


class TestCustomTools:
    def test_the_input_is_a_text_of_the_regular_expression(self, chat):
        (call,) = chat(tools=[CODE], tool_choice="required", parallel_tool_calls=False).choices[0].message.tool_calls
        assert (call.type, call.custom.name) == ("custom", "run_code")
        assert re.fullmatch(r'print\("[a-z]{1,6}"\)\n', call.custom.input)

    @pytest.mark.parametrize("seed", range(3))
    def test_the_input_is_a_text_of_the_lark_grammar(self, chat, seed):
        choice = {"type": "custom", "custom": {"name": "edit"}}
        fields = {"temperature": 1.3, "seed": seed, "max_completion_tokens": 300, "parallel_tool_calls": False}
        (answer,) = chat(tools=[EDIT, WEATHER_TOOL], tool_choice=choice, **fields).choices
        (call,) = answer.message.tool_calls
        line = r'[+-][a-z "]{1,8}\n'
        if answer.finish_reason == "tool_calls":
            assert re.fullmatch(rf"\*\*\* Begin\n({line})+\*\*\* End\n?", call.custom.input)
        else:
            assert re.match(rf"\*\*\* Begin\n({line})+", call.custom.input)

    def test_a_call_and_its_reply_in_history_are_read(self, chat):
        (call,) = chat(tools=[CODE], tool_choice="required", parallel_tool_calls=False).choices[0].message.tool_calls
        messages = [
            *ask("Say hello by code!"),
            {"role": "assistant", "content": None, "tool_calls": [call.model_dump()]},
            {"role": "tool", "tool_call_id": call.id, "content": "hello"},
        ]
        assert chat(tools=[CODE], messages=messages).choices[0].message.content

    @pytest.mark.parametrize(
        ("syntax", "definition"),
        [("regex", "a(?=b)"), ("regex", "("), ("lark", "start: missing"), ("lark", "nonsense")],
    )
    def test_a_grammar_that_cannot_be_held_is_refused_where_it_stands(self, chat, syntax, definition):
        form = {"type": "grammar", "grammar": {"syntax": syntax, "definition": definition}}
        with pytest.raises(openai.BadRequestError) as failure:
            chat(tools=[WEATHER_TOOL, {"type": "custom", "custom": {"name": "note", "format": form}}])
        assert failure.value.param == "tools[1].custom.format.grammar.definition"
        assert failure.value.code == "unsupported_schema"
