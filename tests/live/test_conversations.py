"""Conversations of every kind reach the model whole, over both APIs; an answer that was begun is continued, and only that comes back."""

import pytest

ASK = {"role": "user", "content": "What is the capital of France?"}
GREEDY = {"temperature": 0, "seed": 1}


def openai_answer(http, model, messages, **more):
    answer = http.post("/v1/chat/completions", json={"model": model, "messages": messages, **GREEDY, **more})
    return answer.raise_for_status().json()["choices"][0]["message"]["content"]


def ollama_answer(http, model, messages):
    body = {"model": model, "messages": messages, "stream": False, "options": GREEDY}
    return http.post("/api/chat", json=body).raise_for_status().json()["message"]["content"]


@pytest.mark.parametrize("answer", [openai_answer, ollama_answer])
def test_an_answer_that_was_begun_is_continued_and_only_the_continuation_comes_back(http, model, answer):
    whole = answer(http, model, [ASK])
    begun = whole[: len(whole) // 2]
    assert begun
    assert begun + answer(http, model, [ASK, {"role": "assistant", "content": begun}]) == whole


def test_a_new_answer_begins_where_the_request_says_so(http, model):
    messages = [ASK, {"role": "assistant", "content": "Paris"}]
    body = {"model": model, "messages": messages}
    prompts = [
        http.post("/v1/apply-template", json={**body, **ending}).raise_for_status().json()["prompt"]
        for ending in ({}, {"continue_final_message": False}, {"add_generation_prompt": False})
    ]
    continued, anew, closed = prompts
    assert continued.endswith("Paris")
    assert closed.startswith(continued)
    assert len(anew) > len(closed) > len(continued)


def test_a_history_in_every_shape_is_taken(http, model):
    call = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1, "b'}}
    messages = [
        {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
        {
            "role": "user",
            "content": [{"type": "text", "text": "Add"}, {"type": "text", "text": "numbers."}],
            "name": "ada",
        },
        {"role": "assistant", "content": "I do.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "3"},
        {"role": "system", "content": "Hurry."},
        {"role": "user", "content": "And?"},
        ASK,
    ]
    prompt = (
        http.post("/v1/apply-template", json={"model": model, "messages": messages}).raise_for_status().json()["prompt"]
    )
    for text in ("Be brief.", "Add", "numbers.", "I do.", "add", "3", "Hurry.", "And?", ASK["content"]):
        assert text in prompt
    assert openai_answer(http, model, messages, max_tokens=4) is not None


@pytest.mark.parametrize("arguments", ['{"city": "Paris"}', {"city": "Paris"}, "Paris?", ""])
def test_arguments_in_a_history_are_an_object_or_any_text(http, model, arguments):
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": arguments}}
    messages = [
        ASK,
        {"role": "assistant", "content": "Well.", "tool_calls": None},
        ASK,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "Sunny"},
    ]
    assert openai_answer(http, model, messages, max_tokens=4) is not None
    messages[3]["content"] = ""
    body = {"model": model, "messages": messages, "stream": False, "options": {"num_predict": 4}}
    assert http.post("/api/chat", json=body).raise_for_status().json()["message"]["content"]


@pytest.mark.parametrize("stream", [True, False])
def test_names_and_variables_that_the_template_has_no_use_for_are_told(http, model, stream):
    body = {
        "model": model,
        "messages": [{**ASK, "name": "ada"}],
        "chat_template_kwargs": {"shout": True},
        "max_tokens": 4,
        "stream": stream,
        "nonsense": 1,
    }
    response = http.post("/v1/chat/completions", json=body)
    assert response.status_code == 200
    assert response.headers["x-ignored-params"] == "nonsense, chat_template_kwargs.shout, messages[0].name"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"documents": [{"text": "A book."}]}, "documents"),
        ({"continue_final_message": True}, "continue_final_message"),
        ({"chat_template_kwargs": {"add_generation_prompt": "no"}}, "chat_template_kwargs.add_generation_prompt"),
        ({"chat_template_kwargs": {"tools": []}}, "chat_template_kwargs.tools"),
    ],
)
def test_what_the_template_cannot_do_is_refused_by_name(http, model, fields, param):
    response = http.post("/v1/chat/completions", json={"model": model, "messages": [ASK], **fields})
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)
