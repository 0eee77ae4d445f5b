"""Models whose files have no chat template, served as their families' are."""

import httpx
import pytest

from tests.launch import serving
from tools.bench_model.tensor import Shape
from tools.make_bench_model import write_model

CONVERSATION = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello"},
    {"role": "user", "content": "Bye"},
]
MODELS = {
    "by-tokens": ("llama", "a model", ("<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>")),
    "by-architecture": ("qwen2", "a model", ("<|endoftext|>",)),
    "by-name": ("llama", "Llama 2 Chat", ("<|endoftext|>",)),
    "mistral": ("llama", "Llama", ("</s>", "[INST]", "[/INST]")),
    "glm": ("llama", "GLM 4", ("<|endoftext|>", "[gMASK]", "<sop>", "<|user|>", "<|assistant|>", "<|observation|>")),
    "unknown": ("llama", "a model", ("<|endoftext|>",)),
}
PROMPTS = {
    "by-tokens": "<|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi",
    "by-architecture": "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n",
    "by-name": "[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Hello",
    "mistral": "[INST] Hi[/INST] Hello</s>[INST] Be brief.\n\nBye[/INST]",
    "glm": "[gMASK]<sop><|system|>\nBe brief.<|user|>\nHi<|assistant|>\nHello<|user|>\nBye<|assistant|>\n",
    "unknown": "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n",
}


@pytest.fixture(scope="module")
def families(tmp_path_factory):
    """A server of one tiny model for each of MODELS, and a client of it."""
    directory = tmp_path_factory.mktemp("families")
    for name, (architecture, title, marks) in MODELS.items():
        shape = Shape(architecture, 1, 32, 1, 1, 32, 600, "F16", context=512)
        write_model(directory / f"{name}.gguf", shape, name=title, marks=marks)
    with (
        serving(directory, "--models-dir", str(directory)) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        yield server, client


@pytest.mark.parametrize("model", MODELS)
def test_a_conversation_is_written_as_the_family_reads_it(families, model):
    _, http = families
    body = {"model": model, "messages": CONVERSATION}
    prompt = http.post("/v1/apply-template", json=body).raise_for_status().json()["prompt"]
    assert prompt.startswith(PROMPTS[model])


def test_the_family_and_why_it_is_taken_is_said_in_the_log_and_shown(families):
    server, http = families
    http.post("/v1/apply-template", json={"model": "glm", "messages": CONVERSATION}).raise_for_status()
    assert "model glm has no chat template; that of ChatGLM 4 is taken: its vocabulary has [gMASK] <sop>" in server.log
    shown = http.post("/api/show", json={"model": "glm"}).raise_for_status().json()
    assert shown["template"].startswith("{{- '[gMASK]<sop>' -}}")
    assert shown["details"]["families"] == ["llama", "chatglm-4"]


def test_a_turn_ends_at_its_familys_mark_though_the_file_calls_it_no_end(families):
    _, http = families
    mark = http.post("/v1/tokenize", json={"model": "glm", "text": "<|user|>"}).raise_for_status().json()["tokens"]
    body = {"model": "glm", "messages": CONVERSATION, "max_tokens": 20, "logit_bias": {str(mark[0]): 100}}
    answer = http.post("/v1/chat/completions", json=body).raise_for_status().json()
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["choices"][0]["message"]["content"] == ""
    elsewhere = body | {"model": "unknown", "logit_bias": {}, "max_tokens": 3}
    assert http.post("/v1/chat/completions", json=elsewhere).raise_for_status().json()["usage"]["completion_tokens"] > 0


@pytest.mark.parametrize("model", ["by-tokens", "unknown"])
def test_both_apis_answer(families, model):
    _, http = families
    options = {"num_predict": 3}
    chat = http.post("/api/chat", json={"model": model, "messages": CONVERSATION, "stream": False, "options": options})
    assert chat.raise_for_status().json()["done"] is True
    text = http.post("/api/generate", json={"model": model, "prompt": "Hi", "stream": False, "options": options})
    assert text.raise_for_status().json()["prompt_eval_count"] > 0
