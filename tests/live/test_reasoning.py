"""What a model thinks, over both APIs as their own clients see it: split, named, counted, switched off and bounded."""

import json

import httpx
import ollama
import openai
import pytest

from tests.launch import serving
from tests.live.clients import WEATHER_TOOL, ask
from tests.thinking_model import write_thinking_model

SWITCHED, ALWAYS = "switched", "always"
MESSAGES = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    directory = tmp_path_factory.mktemp("models")
    return {
        SWITCHED: write_thinking_model(directory / f"{SWITCHED}.gguf", marks_are_tokens=True),
        ALWAYS: write_thinking_model(directory / f"{ALWAYS}.gguf", marks_are_tokens=False, has_switch=False),
    }


@pytest.fixture(scope="module")
def thinking(files, tmp_path_factory):
    models = [argument for file in files.values() for argument in ("--model", str(file))]
    with serving(tmp_path_factory.mktemp("thinking"), *models) as running:
        yield running


@pytest.fixture
def client(thinking):
    with openai.OpenAI(base_url=f"{thinking.url}/v1", api_key="any", max_retries=0) as made:
        yield made


@pytest.fixture
def native(thinking):
    made = ollama.Client(host=thinking.url)
    yield made
    made.close()


def completion(client, model=SWITCHED, *, extra=None, **fields):
    return client.chat.completions.create(
        model=model, messages=MESSAGES, temperature=0, max_completion_tokens=60, extra_body=extra or {}, **fields
    )


def test_thinking_comes_beside_the_content_and_is_counted(client):
    answer = completion(client, extra={"reasoning_budget_tokens": 4})
    message = answer.choices[0].message
    assert message.model_extra["reasoning_content"]
    assert message.content
    assert "think>" not in message.content
    counted = answer.usage.completion_tokens_details.reasoning_tokens
    assert 4 < counted < answer.usage.completion_tokens


def test_a_stream_has_the_same_thinking_and_content_as_a_whole_answer(client):
    whole = completion(client, extra={"reasoning_budget_tokens": 4}).choices[0].message
    deltas = [
        chunk.choices[0].delta
        for chunk in completion(client, stream=True, extra={"reasoning_budget_tokens": 4})
        if chunk.choices
    ]
    thoughts = "".join((delta.model_extra or {}).get("reasoning_content", "") for delta in deltas)
    assert thoughts == whole.model_extra["reasoning_content"]
    assert "".join(delta.content or "" for delta in deltas) == whole.content


@pytest.mark.parametrize("model", [SWITCHED, ALWAYS])
def test_effort_none_and_a_budget_of_nothing_give_an_answer_at_once(client, model):
    for fields in ({"reasoning_effort": "none"}, {"extra": {"reasoning_budget_tokens": 0}}):
        message = completion(client, model, **fields).choices[0].message
        assert message.content
        assert not (message.model_extra or {}).get("reasoning_content")


@pytest.mark.parametrize("model", [SWITCHED, ALWAYS])
def test_a_budget_may_end_within_a_call_that_was_begun_while_thinking(client, model):
    request = {"model": model, "messages": ask("What is the weather in Paris?"), "tools": [WEATHER_TOOL]}
    for budget in range(1, 9):
        answer = client.chat.completions.create(
            **request, temperature=0, max_completion_tokens=60, extra_body={"reasoning_budget_tokens": budget}
        )
        assert answer.choices[0].finish_reason in ("tool_calls", "stop", "length")


def test_several_answers_and_a_schema_keep_to_it(client):
    schema = {
        "type": "object",
        "properties": {"ok": {"type": "boolean"}},
        "required": ["ok"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "ok", "schema": schema, "strict": True}}
    answer = completion(client, n=2, response_format=form, extra={"reasoning_budget_tokens": 3})
    for choice in answer.choices:
        assert choice.message.model_extra["reasoning_content"]
        assert isinstance(json.loads(choice.message.content)["ok"], bool)


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thinking_in_the_history_is_shown_to_the_model(thinking, name):
    said = {"role": "assistant", "content": "Paris.", name: "It is well known."}
    body = {"model": SWITCHED, "messages": [*MESSAGES, said, {"role": "user", "content": "Sure?"}]}
    response = httpx.post(f"{thinking.url}/v1/apply-template", json=body)
    assert "<think>\nIt is well known.\n</think>" in response.json()["prompt"]


def test_a_budget_is_refused_for_a_model_that_does_not_reason(server, model):
    plain = openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0)
    with plain, pytest.raises(openai.BadRequestError, match="does not reason") as failure:
        completion(plain, model, extra={"reasoning_budget_tokens": 4})
    assert failure.value.param == "reasoning_budget_tokens"


@pytest.mark.parametrize("model", [SWITCHED, ALWAYS])
def test_ollama_thinks_when_asked_and_not_when_told_not_to(native, model):
    options = {"temperature": 0, "num_predict": 60}
    thoughtful = native.chat(model, MESSAGES, think=True, options={**options, "reasoning_budget_tokens": 4})
    assert thoughtful.message.thinking
    assert thoughtful.message.content
    for level in ("low", "high"):
        assert native.chat(model, MESSAGES, think=level, options=options).message.thinking
    blunt = native.chat(model, MESSAGES, think=False, options=options)
    assert blunt.message.content
    assert not blunt.message.thinking
    generated = native.generate(model, "What is the capital of France?", think=False, options=options)
    assert generated.response
    assert not generated.thinking


def test_a_server_set_so_bounds_thinking_and_calls_it_by_the_other_name(files, tmp_path):
    arguments = ("--model", str(files[SWITCHED]), "--reasoning-budget", "3", "--reasoning-field", "reasoning")
    with serving(tmp_path, *arguments) as running, openai.OpenAI(base_url=f"{running.url}/v1", api_key="any") as client:
        bounded = completion(client).choices[0].message
        assert bounded.content
        assert bounded.model_extra["reasoning"]
        assert "reasoning_content" not in bounded.model_extra
        unbounded = completion(client, extra={"reasoning_budget_tokens": -1}).choices[0].message
        assert len(unbounded.model_extra["reasoning"]) > len(bounded.model_extra["reasoning"])
