"""Token counts are exact: counted again with the server's own tokenizer and template, streamed or not."""

import json

import pytest

from tests.live.clients import WEATHER_TOOL, ask

CONVERSATIONS = {
    "a greeting": {"messages": ask("Hello!")},
    "a system prompt": {"messages": [{"role": "system", "content": "You are a pirate."}, *ask("Who are you?")]},
    "several turns": {
        "messages": [*ask("My name is Ada."), {"role": "assistant", "content": "Hello Ada!"}, *ask("Who am I?")]
    },
    "characters of many bytes": {"messages": ask("Grüße, 你好, 🦙")},
    "a tool": {"messages": ask("What is the weather in Paris?"), "tools": [WEATHER_TOOL]},
}


def count(http, model, text):
    """The number of tokens of `text`, control tokens included."""
    return http.post("/v1/tokenize", json={"model": model, "text": text}).raise_for_status().json()["count"]


@pytest.mark.parametrize("conversation", CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_prompt_tokens_are_those_of_the_rendered_template(conversation, http, model):
    prompt = http.post("/v1/apply-template", json={"model": model} | conversation).raise_for_status().json()["prompt"]
    completion = http.post(
        "/v1/chat/completions", json={"model": model, "max_completion_tokens": 1} | conversation
    ).json()
    assert completion["usage"]["prompt_tokens"] == count(http, model, prompt)


def test_completion_tokens_are_those_of_the_log_probabilities(http, model):
    body = {
        "model": model,
        "messages": ask("What is 2 + 3?"),
        "logprobs": True,
        "temperature": 0,
        "max_completion_tokens": 50,
    }
    completion = http.post("/v1/chat/completions", json=body).json()
    assert completion["usage"]["completion_tokens"] == len(completion["choices"][0]["logprobs"]["content"])
    assert completion["usage"]["total_tokens"] == sum(
        completion["usage"][f"{part}_tokens"] for part in ("prompt", "completion")
    )


def test_completion_tokens_sum_over_the_choices(http, model):
    body = {"model": model, "messages": ask("Hello!"), "n": 3, "max_completion_tokens": 10, "ignore_eos": True}
    assert http.post("/v1/chat/completions", json=body).json()["usage"]["completion_tokens"] == 30


def test_a_repeated_prompt_is_reported_as_cached(http, model):
    body = {
        "model": model,
        "messages": ask("A question that nobody asked before, number 58213."),
        "max_completion_tokens": 1,
    }
    first, second = (http.post("/v1/chat/completions", json=body).json()["usage"] for _ in range(2))
    assert first["prompt_tokens"] == second["prompt_tokens"]
    cached_tokens = second["prompt_tokens_details"]["cached_tokens"]
    assert 0 < cached_tokens < second["prompt_tokens"], "at least one token is always computed"


def test_the_chat_and_ollama_apis_count_the_same(http, model):
    chat = {"model": model, "messages": ask("What is 2 + 3?")}
    openai = http.post("/v1/chat/completions", json=chat | {"temperature": 0, "max_completion_tokens": 30}).json()
    options = {"temperature": 0, "num_predict": 30, "repeat_penalty": 1}
    ollama = http.post("/api/chat", json=chat | {"stream": False, "options": options}).json()
    assert ollama["prompt_eval_count"] == openai["usage"]["prompt_tokens"]
    assert ollama["eval_count"] == openai["usage"]["completion_tokens"]
    assert ollama["message"]["content"] == openai["choices"][0]["message"]["content"]


def test_text_survives_tokenize_and_detokenize(http, model):
    text = "Hello, Grüße, 你好 🦙\n\ttab"
    tokens = http.post("/v1/tokenize", json={"model": model, "text": text}).json()["tokens"]
    assert http.post("/v1/detokenize", json={"model": model, "tokens": tokens}).json()["text"] == text


def test_ollamas_durations_add_up(http, model):
    body = {"model": model, "prompt": "What is 2 + 3?", "stream": True}
    last = json.loads(http.post("/api/generate", json=body).text.splitlines()[-1])
    parts = [last["load_duration"], last["prompt_eval_duration"], last["eval_duration"]]
    assert all(part >= 0 for part in parts)
    assert sum(parts) <= last["total_duration"] * 1.01
