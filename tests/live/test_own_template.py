"""Ollama's `template`: a request's prompt, written its own way."""

import pytest

from tests.launch import DEMO_MODEL

GO = """\
{{- if .System }}<|im_start|>system
{{ .System }}<|im_end|>
{{ end }}<|im_start|>user
{{ .Prompt }}<|im_end|>
<|im_start|>assistant
{{ .Response }}<|im_end|>
"""
JINJA = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "<|im_start|>assistant{{ '\\n' }}"
)
PROMPT = "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHello!<|im_end|>\n<|im_start|>assistant\n"


def generate(http, **fields):
    body = {
        "model": DEMO_MODEL,
        "prompt": "Hello!",
        "stream": False,
        "options": {"temperature": 0, "num_predict": 8},
        **fields,
    }
    return http.post("/api/generate", json=body)


def prompt_of(http, answer):
    """The text that the model was given and what it answered."""
    tokens = answer.raise_for_status().json()["context"]
    return http.post("/v1/detokenize", json={"model": DEMO_MODEL, "tokens": tokens}).json()["text"]


@pytest.mark.parametrize("template", [GO, JINJA], ids=["go", "jinja"])
def test_a_prompt_is_written_by_the_requests_own_template(http, template):
    answer = generate(http, template=template, system="Be kind.")
    assert prompt_of(http, answer).startswith(PROMPT + answer.json()["response"])


def test_a_gap_is_filled_by_the_requests_own_template(http):
    answer = generate(http, template="[{{ .Prompt }}|{{ .Suffix }}]", suffix="end")
    assert prompt_of(http, answer).startswith("[Hello!|end]")


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"template": "Hi\n{{ template `x` }}"}, "line 2, column 4: {{template}} is not supported"),
        ({"template": "{{ .Prompt }"}, "line 1, column 12: '}' has no meaning in an action"),
        ({"template": "{{ .Model }}"}, "line 1, column 4: in .Model: request has no field .Model; it has .System"),
        ({"template": "{% frobnicate %}"}, "line 1: Encountered unknown tag 'frobnicate'"),
        ({"template": "{{ range 1000000000000 }}{{ end }}"}, "it takes more than 0.5 s"),
        ({"template": "{{ .Prompt }}", "raw": True}, "template: cannot be given together with raw"),
        ({"template": "{{ .Prompt }}", "suffix": "x"}, "the request's template has no place for a suffix"),
    ],
)
def test_what_is_wrong_with_it_is_told_with_its_place(http, fields, complaint):
    refused = generate(http, **fields)
    assert refused.status_code == 400
    assert complaint in refused.json()["error"]
