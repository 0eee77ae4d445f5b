"""A grammar, a regular expression, a choice: taken by every text operation of both APIs, one at a time."""

import re

import pytest

MESSAGES = [{"role": "user", "content": "hello"}]
ASKED = [
    ({"grammar": 'root ::= "a" [0-9] "z"'}, "a[0-9]z"),
    ({"grammar": 'start: "a" /[0-9]/ "z"'}, "a[0-9]z"),
    ({"regex": "[0-9]{2}/[0-9]{2}"}, "[0-9]{2}/[0-9]{2}"),
    ({"choice": ["north", "by northwest"]}, "north|by northwest"),
]


def said(http, model, path, body):
    """The answer's text from whatever shape this operation has."""
    answer = http.post(path, json={"model": model, **body}).raise_for_status().json()
    if "choices" in answer:
        choice = answer["choices"][0]
        return choice["text"] if "text" in choice else choice["message"]["content"]
    return answer["response"] if "response" in answer else answer["message"]["content"]


@pytest.mark.parametrize(("asked", "pattern"), ASKED)
@pytest.mark.parametrize(
    ("path", "prompt"),
    [
        ("/v1/chat/completions", {"messages": MESSAGES}),
        ("/v1/completions", {"prompt": "hello"}),
        ("/api/chat", {"messages": MESSAGES, "stream": False}),
        ("/api/generate", {"prompt": "hello", "stream": False}),
    ],
)
def test_every_text_operation_keeps_to_it(http, model, path, prompt, asked, pattern):
    assert re.fullmatch(pattern, said(http, model, path, {**prompt, **asked}))


@pytest.mark.parametrize(
    ("path", "asked", "named"),
    [
        ("/v1/chat/completions", {"messages": MESSAGES, "regex": "a", "choice": ["b"]}, ("regex", "choice")),
        (
            "/v1/chat/completions",
            {"messages": MESSAGES, "response_format": {"type": "json_object"}, "grammar": "g"},
            ("response_format", "grammar"),
        ),
        ("/v1/completions", {"prompt": "a", "regex": "("}, ("regex",)),
        ("/api/generate", {"prompt": "a", "format": "json", "regex": "a"}, ("format", "regex")),
        ("/api/chat", {"messages": MESSAGES, "format": {"properties": {"a": {"not": {}}}}}, ("$.properties.a.not",)),
    ],
)
def test_what_cannot_be_kept_is_a_400_that_names_it(http, model, path, asked, named):
    response = http.post(path, json={"model": model, **asked})
    assert response.status_code == 400
    assert all(name in response.text for name in named)


def test_an_answer_that_ends_too_early_says_length(http, model):
    body = {"model": model, "prompt": "a", "regex": "a{50}", "max_tokens": 5}
    assert http.post("/v1/completions", json=body).json()["choices"][0]["finish_reason"] == "length"
