"""Custom tools are offered as functions of one text, and what the model calls is told as calls of custom tools, streamed as whole."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import ChoiceFinished, Finished, GrammarConstraint, RegexConstraint, ToolCallDelta, ToolUse
from engine.generation import collect
from handlers.wire.openai import chat_completions as wire
from handlers.wire.openai.envelope import Envelope
from handlers.wire.openai.messages import template_messages
from handlers.wire.refusal import InvalidParameter
from tests.unit.handlers.wire.scripted import TIMINGS, USAGE, conforming, entry, gather, replay

ENVELOPE = Envelope("chatcmpl-1", 1_763_000_000, "demo", "fp_1")
WEATHER = {"type": "function", "function": {"name": "weather"}}
RUN = frozenset({"run"})
unicode_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def custom(name: str, **fields: Any) -> dict[str, Any]:
    return {"type": "custom", "custom": {"name": name, **fields}}


def held(syntax: str, definition: str) -> dict[str, Any]:
    return {"format": {"type": "grammar", "grammar": {"syntax": syntax, "definition": definition}}}


def body(**fields: Any) -> Any:
    given_body = {"model": "demo", "messages": [{"role": "user", "content": "Hi"}], **fields}
    return conforming(given_body, "openai", "CreateChatCompletionRequest")


def events(arguments: list[str], *, reason: str = "tool_calls", name: str = "run") -> list[Any]:
    first, *further = arguments
    return [
        ToolCallDelta(index=0, call_index=0, id="call_1", name=name, arguments=first),
        *(ToolCallDelta(index=0, call_index=0, arguments=piece) for piece in further),
        ChoiceFinished(index=0, finish_reason=reason, completion_tokens=5),
        Finished(usage=USAGE, timings=TIMINGS),
    ]


def whole(answer: list[Any]) -> dict[str, Any]:
    [choice] = wire.render(collect(answer), ENVELOPE, custom=RUN)["choices"]
    [call] = conforming(choice["message"]["tool_calls"], "openai", "ChatCompletionMessageToolCalls")
    return dict(call)


async def streamed(answer: list[Any]) -> list[dict[str, Any]]:
    chunks = await gather(wire.chunks(replay(answer), ENVELOPE, n=1, custom=RUN))
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    calls = [call for delta in deltas for call in delta.get("tool_calls", ())]
    return [conforming(call, "openai", "ChatCompletionMessageToolCallChunk") for call in calls]


class TestOffer:
    def test_a_custom_tool_is_shown_as_a_function_of_one_text(self) -> None:
        [shown] = wire.parse(body(tools=[custom("run", description="Runs code")]), entry()).prompt.tools
        assert shown["function"]["name"] == "run"
        assert shown["function"]["description"] == "Runs code"
        assert shown["function"]["parameters"]["properties"] == {"input": {"type": "string"}}

    @pytest.mark.parametrize(
        ("form", "constraint"),
        [
            (held("regex", "a+"), RegexConstraint(regex="a+")),
            (held("lark", 'start: "a"'), GrammarConstraint(grammar='start: "a"')),
        ],
    )
    def test_a_grammar_is_told_to_the_model_and_the_input_is_held_to_it(self, form: Any, constraint: Any) -> None:
        request = wire.parse(body(tools=[WEATHER, custom("run", **form)]), entry())
        assert request.tool_use == ToolUse(inputs={"run": constraint})
        definition = form["format"]["grammar"]["definition"]
        assert definition in request.prompt.tools[1]["function"]["parameters"]["properties"]["input"]["description"]

    def test_free_text_is_held_to_nothing(self) -> None:
        request = wire.parse(body(tools=[custom("run", format={"type": "text"})]), entry())
        assert request.tool_use == ToolUse()

    @pytest.mark.parametrize(
        ("choice", "use"),
        [
            (custom("run"), ToolUse(is_required=True, names=("run",))),
            ("required", ToolUse(is_required=True)),
            (
                {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [custom("run")]}},
                ToolUse(names=("run",)),
            ),
        ],
    )
    def test_a_choice_may_name_a_custom_tool(self, choice: Any, use: ToolUse) -> None:
        assert wire.parse(body(tools=[WEATHER, custom("run")], tool_choice=choice), entry()).tool_use == use

    @pytest.mark.parametrize(
        ("fields", "param"),
        [
            ({"tools": [WEATHER], "tool_choice": custom("weather")}, "tool_choice.custom.name"),
            (
                {"tools": [custom("run")], "tool_choice": {"type": "function", "function": {"name": "run"}}},
                "tool_choice.function.name",
            ),
            ({"tools": [WEATHER, custom("weather")]}, "tools[1].custom.name"),
            ({"tools": [custom("weather"), WEATHER]}, "tools[1].function.name"),
        ],
    )
    def test_what_does_not_fit_together_is_refused_by_name(self, fields: Any, param: str) -> None:
        with pytest.raises(InvalidParameter) as refusal:
            wire.parse(body(**fields), entry())
        assert refusal.value.param == param

    def test_a_refused_grammar_or_schema_is_named_where_the_body_has_it(self) -> None:
        names = wire.names(body(tools=[WEATHER, custom("run")]))
        assert names["tools[0]"] == "tools[0].function.parameters"
        assert names["tools[1]"] == "tools[1].custom.format.grammar.definition"
        assert wire.names(body(functions=[{"name": "f"}]))["tools[0]"] == "functions[0].parameters"


class TestAnswer:
    def test_a_whole_call_has_its_input(self) -> None:
        call = whole(events(['{"input": "print(\\"é\\")\\n"}']))
        assert call == {"id": "call_1", "type": "custom", "custom": {"name": "run", "input": 'print("é")\n'}}

    async def test_a_streamed_call_begins_with_id_and_name_and_goes_on_with_input(self) -> None:
        calls = await streamed(events(['{"inp', 'ut": "a', "\\", "n", "\\u00e", '9"', "}"]))
        assert calls == [
            {"index": 0, "id": "call_1", "type": "custom", "custom": {"name": "run", "input": ""}},
            {"index": 0, "custom": {"input": "a"}},
            {"index": 0, "custom": {"input": "\n"}},
            {"index": 0, "custom": {"input": "é"}},
        ]

    async def test_a_call_of_a_function_beside_it_stays_one(self) -> None:
        [call] = await streamed(events(['{"input": "x"}'], name="weather"))
        assert (call["type"], call["function"]["arguments"]) == ("function", '{"input": "x"}')

    @given(text=unicode_texts, ascii_only=st.booleans(), cuts=st.lists(st.integers(0, 60), max_size=4))
    async def test_however_it_is_cut_the_input_is_what_the_model_wrote(
        self, text: str, ascii_only: bool, cuts: list[int]
    ) -> None:
        arguments = json.dumps({"input": text}, ensure_ascii=ascii_only)
        at = [0, *sorted(min(cut, len(arguments)) for cut in cuts), len(arguments)]
        answer = events([arguments[start:end] for start, end in itertools.pairwise(at)])
        assert "".join(call["custom"]["input"] for call in await streamed(answer)) == text
        assert whole(answer)["custom"]["input"] == text

    @given(text=unicode_texts, ascii_only=st.booleans(), cut=st.integers(0, 60))
    async def test_a_call_cut_by_the_limit_has_the_input_as_far_as_it_goes(
        self, text: str, ascii_only: bool, cut: int
    ) -> None:
        answer = events([json.dumps({"input": text}, ensure_ascii=ascii_only)[:cut]], reason="length")
        cut_text = whole(answer)["custom"]["input"]
        assert text.startswith(cut_text)
        assert "".join(call["custom"]["input"] for call in await streamed(answer)) == cut_text

    @pytest.mark.parametrize("arguments", ["{}", '{"text": "x"}', '{"input": 5}', "x"])
    async def test_arguments_of_another_form_are_the_input_as_they_stand(self, arguments: str) -> None:
        answer = events([arguments[:2], arguments[2:]])
        assert whole(answer)["custom"]["input"] == arguments
        assert "".join(call["custom"]["input"] for call in await streamed(answer)) == arguments

    @pytest.mark.parametrize("spelled", ["\\ud83d\\ude00", "\\ud83dx", "\\ud83d\\n", "\\ude00", "\\ud83d\\u0041"])
    async def test_half_a_surrogate_pair_becomes_a_replacement_character(self, spelled: str) -> None:
        arguments = f'{{"input": "{spelled}"}}'
        text = json.loads(arguments)["input"].encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        assert whole(events([arguments]))["custom"]["input"] == text
        assert "".join(call["custom"]["input"] for call in await streamed(events(list(arguments)))) == text


def test_in_history_a_call_is_one_of_the_function_that_stands_for_the_tool_and_its_reply_is_named() -> None:
    call = {"id": "call_1", "type": "custom", "custom": {"name": "run", "input": "1\n2"}}
    messages = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "done"},
    ]
    assistant, reply = template_messages(body(messages=messages)["messages"])
    assert assistant["tool_calls"] == [
        {"id": "call_1", "type": "function", "function": {"name": "run", "arguments": {"input": "1\n2"}}}
    ]
    assert reply["name"] == "run"
