"""Models whose files have no chat template, served as their families' are."""

import httpx
import pytest

from tests.family_prompts import CONVERSATION, PROMPTS
from tests.launch import serving
from tools.bench_model.tensor import Shape
from tools.make_bench_model import write_model

ENDS = ("</s>", "<s>")
ROLES = ("<|user|>", "<|assistant|>")
MODELS = {
    "chatml": ("llama", "a model", ("<|im_end|>", "<|im_start|>")),
    "qwen": ("qwen2", "a model", ("<|endoftext|>",)),
    "qwen3": ("qwen3", "a model", ("<|endoftext|>",)),
    "gemma": ("llama", "a model", ("<eos>", "<start_of_turn>", "<end_of_turn>")),
    "gemma-4": ("llama", "a model", ("<eos>", "<|turn>", "<turn|>")),
    "llama-2": ("llama", "Llama 2 Chat", ENDS),
    "llama-3": ("llama", "a model", ("<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>")),
    "deepseek": (
        "qwen2",
        "a model",
        ("<\uff5cend\u2581of\u2581sentence\uff5c>", "<\uff5cUser\uff5c>", "<\uff5cAssistant\uff5c>"),
    ),
    "chatglm-3": ("llama", "a model", ("<|endoftext|>", "[gMASK]", "sop", *ROLES)),
    "chatglm-4": ("llama", "a model", ("<|endoftext|>", "[gMASK]", "<sop>", "<|observation|>", *ROLES)),
    "phi-3": ("llama", "a model", ("<|endoftext|>", "<|end|>", *ROLES)),
    "phi-4": ("llama", "a model", ("<|im_end|>", "<|im_start|>", "<|im_sep|>")),
    "phi-4-mini": ("llama", "Phi 4 mini instruct", ("<|endoftext|>",)),
    "mistral-v1": ("llama", "Mistral 7B Instruct v0.2", ENDS),
    "mistral-v3": ("llama", "a model", (*ENDS, "[INST]", "[/INST]")),
    "mistral-v3-tekken": ("llama", "Mistral Nemo", ENDS),
    "mistral-v7-tekken": ("llama", "a model", (*ENDS, "[INST]", "[/INST]", "[SYSTEM_PROMPT]")),
    "unknown": ("llama", "a model", ("<|endoftext|>",)),
}
EXPECTED = {"unknown": PROMPTS["chatml"], **PROMPTS}


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
    assert http.post("/v1/apply-template", json=body).raise_for_status().json() == {"prompt": EXPECTED[model]}


def test_the_family_and_why_it_is_taken_is_said_in_the_log_and_shown(families):
    server, http = families
    http.post("/v1/apply-template", json={"model": "chatglm-4", "messages": CONVERSATION}).raise_for_status()
    assert (
        "model chatglm-4 has no chat template; that of ChatGLM 4 is taken: its vocabulary has [gMASK] <sop>"
        in server.log
    )
    shown = http.post("/api/show", json={"model": "chatglm-4"}).raise_for_status().json()
    assert shown["template"].startswith("{{- '[gMASK]<sop>' -}}")
    assert shown["details"]["families"] == ["llama", "chatglm-4"]


def test_a_turn_ends_at_its_familys_mark_though_the_file_calls_it_no_end(families):
    _, http = families
    mark = (
        http.post("/v1/tokenize", json={"model": "chatglm-4", "text": "<|user|>"}).raise_for_status().json()["tokens"]
    )
    body = {"model": "chatglm-4", "messages": CONVERSATION, "max_tokens": 20, "logit_bias": {str(mark[0]): 100}}
    answer = http.post("/v1/chat/completions", json=body).raise_for_status().json()
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["choices"][0]["message"]["content"] == ""
    elsewhere = body | {"model": "unknown", "logit_bias": {}, "max_tokens": 3, "ignore_eos": True}
    assert (
        http.post("/v1/chat/completions", json=elsewhere).raise_for_status().json()["usage"]["completion_tokens"] == 3
    )


@pytest.mark.parametrize("model", ["llama-3", "unknown"])
def test_both_apis_answer(families, model):
    _, http = families
    options = {"num_predict": 3}
    chat = http.post("/api/chat", json={"model": model, "messages": CONVERSATION, "stream": False, "options": options})
    assert chat.raise_for_status().json()["done"] is True
    text = http.post("/api/generate", json={"model": model, "prompt": "Hi", "stream": False, "options": options})
    assert text.raise_for_status().json()["prompt_eval_count"] > 0
