"""`/api/generate`: each field, the shapes of answers, and streams that equal whole answers."""

from typing import Any

import pytest
from hypothesis import given

from engine import (
    ChatPrompt,
    ChoiceFinished,
    Finished,
    InfillPrompt,
    JsonConstraint,
    TextDelta,
    TextPrompt,
    TokenPrompt,
)
from engine.families import Facts, Sampling, recognise
from engine.generation import collect
from handlers.wire.ollama import generate as wire
from handlers.wire.refusal import InvalidParameter
from tests.unit.handlers.wire.scripted import TIMINGS, USAGE, conforming, entry, gather, generations, replay

USER = {"role": "user", "content": "Hi"}
FACTS = {
    "total_duration": 330, "load_duration": 5, "prompt_eval_count": 11, "prompt_eval_duration": 20,
    "eval_count": 7, "eval_duration": 300,
}  # fmt: skip


def body(**fields: Any) -> Any:
    return conforming({"model": "demo", "prompt": "Hi", **fields}, "ollama", "GenerateRequest")


def test_a_prompt_is_one_turn_of_the_models_template() -> None:
    request = wire.parse(body(), entry())
    assert request.prompt == ChatPrompt(messages=(USER,))
    assert (request.truncate_prompt, request.return_context, request.max_tokens) == (True, True, None)


def test_a_system_prompt_comes_before_it() -> None:
    request = wire.parse(body(system="Be brief."), entry())
    assert request.prompt == ChatPrompt(messages=({"role": "system", "content": "Be brief."}, USER))


def test_context_stands_before_the_rendered_prompt() -> None:
    assert wire.parse(body(context=[1, 2]), entry()).prompt == ChatPrompt(messages=(USER,), prefix_tokens=(1, 2))


def test_raw_takes_the_prompt_as_it_stands_and_returns_no_context() -> None:
    request = wire.parse(body(raw=True), entry())
    assert (request.prompt, request.return_context) == (TextPrompt(text="Hi"), False)


@pytest.mark.parametrize("fields", [{"system": "x"}, {"context": [1]}, {"suffix": "x"}, {"template": "x"}])
def test_raw_leaves_no_room_for_what_a_template_takes(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameter, match="cannot be given together with raw") as refusal:
        wire.parse(body(raw=True, **fields), entry())
    assert refusal.value.param in fields


def test_a_model_without_a_template_continues_the_text() -> None:
    bare = entry(chat_template=None)
    assert wire.parse(body(), bare).prompt == TextPrompt(text="Hi")
    assert wire.parse(body(context=[1, 2]), bare).prompt == TokenPrompt(tokens=(1, 2), text="Hi")
    with pytest.raises(InvalidParameter, match="has no template to put it into"):
        wire.parse(body(system="x"), bare)


def test_a_suffix_is_filled_in_before_by_a_model_that_can() -> None:
    able = entry(capabilities=("completion", "insert"))
    assert wire.parse(body(suffix="end"), able).prompt == InfillPrompt(prefix="Hi", suffix="end")
    with pytest.raises(InvalidParameter, match="does not support insert"):
        wire.parse(body(suffix="end"), entry())
    with pytest.raises(InvalidParameter, match="cannot be given together with suffix"):
        wire.parse(body(suffix="end", system="x"), able)


def test_a_template_of_the_requests_own_takes_the_place_of_the_models() -> None:
    for model in (entry(), entry(chat_template=None)):
        prompt = wire.parse(body(template="{{ .Prompt }}", system="x", context=[1]), model).prompt
        messages = ({"role": "system", "content": "x"}, USER)
        assert prompt == ChatPrompt(messages=messages, prefix_tokens=(1,), template="{{ .Prompt }}")
    filling = wire.parse(body(template="{{ .Suffix }}", suffix="end"), entry()).prompt
    assert filling == ChatPrompt(messages=(USER,), template_kwargs={"suffix": "end"}, template="{{ .Suffix }}")


def test_a_model_of_a_known_family_needs_no_template_of_its_own() -> None:
    gemma = entry(chat_template=None, recognition=recognise(Facts("gemma2")))
    assert wire.parse(body(system="x"), gemma).prompt == ChatPrompt(messages=({"role": "system", "content": "x"}, USER))


def test_options_that_are_left_out_are_the_models_own_parameters_before_ollamas_defaults() -> None:
    model = entry(sampling=Sampling(temperature=0.15, top_k=7))
    asked = wire.parse(body(options={"temperature": None, "top_k": 3, "seed": 1}), model).sampling
    assert (asked.temperature, asked.top_k, asked.top_p, asked.seed) == (0.15, 3, 0.9, 1)
    assert wire.parse(body(), model).sampling.top_k == 7


@pytest.mark.parametrize(
    ("fields", "prompted"), [({}, True), ({"prompt": ""}, False), ({"prompt": "", "suffix": "x"}, True)]
)
def test_without_prompt_and_suffix_there_is_nothing_to_generate_from(fields: dict[str, Any], prompted: bool) -> None:
    assert wire.has_prompt(body(**fields)) is prompted


@pytest.mark.parametrize("think", [True, "high"])
def test_a_model_that_cannot_think_is_not_asked_to(think: Any) -> None:
    with pytest.raises(InvalidParameter, match="think: the model 'demo' does not support thinking"):
        wire.parse(body(think=think), entry())
    assert wire.parse(body(think=False), entry()) == wire.parse(body(), entry())


@pytest.mark.parametrize(
    ("think", "effort"), [(None, None), (False, "none"), (True, "on"), ("low", "low"), ("max", "max")]
)
def test_a_thinking_model_is_told_how_hard_to_think(think: Any, effort: str | None) -> None:
    fields = {} if think is None else {"think": think}
    request = wire.parse(body(**fields), entry(capabilities=("completion", "thinking")))
    assert isinstance(request.prompt, ChatPrompt)
    assert request.prompt.reasoning_effort == effort


@pytest.mark.parametrize("budget", [None, -1, 0, 500])
def test_a_budget_reaches_the_model_that_thinks(budget: int | None) -> None:
    thinking = entry(capabilities=("completion", "thinking"))
    assert wire.parse(body(options={"reasoning_budget_tokens": budget}), thinking).reasoning_budget_tokens == budget


@pytest.mark.parametrize(
    ("capabilities", "fields", "message"),
    [
        (("completion",), {}, "does not support thinking"),
        (("completion", "thinking"), {"raw": True}, "thinking is not told apart"),
        (("completion", "thinking"), {"think": False}, "5 contradicts that think is false"),
    ],
)
def test_a_budget_is_refused_where_there_is_no_thinking_to_end(
    capabilities: Any, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidParameter, match=rf"options\.reasoning_budget_tokens: .*{message}"):
        wire.parse(body(options={"reasoning_budget_tokens": 5}, **fields), entry(capabilities=capabilities))


@pytest.mark.parametrize(
    ("form", "constraint"),
    [
        ("", None),
        ("json", JsonConstraint(schema='{"type":"object"}')),
        ({"type": "null"}, JsonConstraint(schema='{"type":"null"}')),
        ({}, JsonConstraint(schema="{}")),
    ],
)
def test_format_becomes_a_constraint(form: Any, constraint: JsonConstraint | None) -> None:
    assert wire.parse(body(format=form), entry()).constraint == constraint


def test_options_and_the_rest_reach_the_engine() -> None:
    options = {"num_predict": 9, "num_ctx": 512, "stop": ["a", "b"], "temperature": 0, "ignore_eos": True}
    request = wire.parse(body(options=options, keep_alive="1m", logprobs=True, top_logprobs=3), entry())
    assert (request.max_tokens, request.context_limit_tokens, request.stop) == (9, 512, ("a", "b"))
    assert (request.sampling.temperature, request.ignore_eos) == (0, True)
    assert (request.keep_alive_seconds, request.logprobs) == (60, 3)


EVENTS = [
    TextDelta(index=0, text="Hel"),
    TextDelta(index=0, text="lo"),
    ChoiceFinished(index=0, finish_reason="length", completion_tokens=7),
    Finished(usage=USAGE, timings=TIMINGS, context=(1, 2)),
]


def test_the_shape_of_a_whole_answer() -> None:
    answer = conforming(wire.render(collect(EVENTS), body()), "ollama", "GenerateResponse")
    assert answer.pop("created_at").endswith("Z")
    assert answer == {
        "model": "demo",
        "response": "Hello",
        "done": True,
        "done_reason": "length",
        "context": [1, 2],
        **FACTS,
    }


async def test_the_last_line_of_a_stream_has_the_reason_and_the_counts() -> None:
    lines = await gather(wire.chunks(replay(EVENTS), body()))
    assert [(line["response"], line["done"]) for line in lines] == [("Hel", False), ("lo", False), ("", True)]
    assert set(lines[0]) == {"model", "created_at", "response", "done"}
    assert lines[-1]["done_reason"] == "length"
    assert lines[-1]["context"] == [1, 2]
    assert {key: lines[-1][key] for key in FACTS} == FACTS


@pytest.mark.parametrize("change", ["load", "unload"])
def test_loading_and_unloading_answer_without_text(change: Any) -> None:
    answer = conforming(wire.render_residency("demo", change), "ollama", "GenerateResponse")
    assert (answer["response"], answer["done"], answer["done_reason"]) == ("", True, change)


@given(events=generations(most_answers=1, thinks=True, tools=False))
async def test_an_accumulated_stream_equals_the_whole_answer(events: list[Any]) -> None:
    asked = body(logprobs=True)
    whole = conforming(wire.render(collect(events), asked), "ollama", "GenerateResponse")
    lines = [
        conforming(line, "ollama", "GenerateStreamEvent") for line in await gather(wire.chunks(replay(events), asked))
    ]
    thinking = "".join(line.get("thinking", "") for line in lines)
    joined = {
        **lines[-1],
        **({"thinking": thinking} if thinking else {}),
        "created_at": whole["created_at"],
        "response": "".join(line["response"] for line in lines),
        "logprobs": [token for line in lines for token in line.get("logprobs", ())],
    }
    assert joined == whole


def test_what_ollamas_command_line_sends_for_nothing_set_is_nothing_set() -> None:
    bare = wire.parse(body(prompt="Hi"), entry())
    sent = body(prompt="Hi", suffix="", system="", template="", format=None, options=None)
    assert wire.parse(sent, entry()) == bare
