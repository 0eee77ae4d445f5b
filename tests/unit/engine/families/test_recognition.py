"""A model's family is told from what its file says, and from a name only where nothing else tells."""

import pytest

from engine.families import FAMILIES, Facts, recognise

LLAMA_3 = ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
CHATML = ("<|im_start|>", "<|im_end|>")
ROLES = ("<|user|>", "<|assistant|>")


def family(architecture: str, *tokens: str, **facts: object) -> str:
    return recognise(Facts(architecture, tokens=frozenset(tokens), **facts)).family.name  # type: ignore[arg-type] # names only


@pytest.mark.parametrize(
    ("architecture", "tokens", "facts", "expected"),
    [
        ("qwen2", CHATML, {}, "qwen"),
        ("qwen3moe", CHATML, {}, "qwen3"),
        ("gemma2", ("<start_of_turn>", "<end_of_turn>"), {}, "gemma"),
        ("gemma3", (), {}, "gemma"),
        ("gemma4", ("<|turn>", "<turn|>"), {}, "gemma-4"),
        ("llama", LLAMA_3, {}, "llama-3"),
        ("llama", (*LLAMA_3, *CHATML), {}, "chatml"),
        ("llama", (), {"names": ("LLaMA v2",)}, "llama-2"),
        ("llama", (), {"names": ("Llama 2 7B Chat",)}, "llama-2"),
        ("llama", (), {"names": ("Llama-3.1-8B-Instruct",)}, "llama-3"),
        ("llama", ("[INST]", "[/INST]"), {"tokenizer": "llama"}, "mistral-v3"),
        ("llama", ("[INST]", "[/INST]"), {"pre_tokenizer": "tekken"}, "mistral-v3-tekken"),
        ("llama", ("[INST]", "[/INST]", "[SYSTEM_PROMPT]"), {"pre_tokenizer": "tekken"}, "mistral-v7-tekken"),
        ("mistral3", (), {}, "mistral-v7-tekken"),
        ("llama", (), {"names": ("Mistral-7B-Instruct-v0.2",)}, "mistral-v1"),
        ("llama", (), {"names": ("Mistral-7B-Instruct-v0.3",)}, "mistral-v3"),
        ("llama", (), {"names": ("Mixtral 8x7B Instruct v0.1",)}, "mistral-v1"),
        ("llama", (), {"names": ("Mistral Nemo Instruct 2407",)}, "mistral-v3-tekken"),
        ("chatglm", (), {"tokenizer": "llama"}, "chatglm-3"),
        ("chatglm", ("[gMASK]", "sop", *ROLES), {"tokenizer": "llama"}, "chatglm-3"),
        ("chatglm", ("[gMASK]", "<sop>", *ROLES), {"tokenizer": "gpt2"}, "chatglm-4"),
        ("chatglm", (), {"tokenizer": "gpt2"}, "chatglm-4"),
        ("glm4moe", (), {}, "chatglm-4"),
        ("phi3", (*ROLES, "<|end|>"), {"tokenizer": "llama"}, "phi-3"),
        ("phi3", (), {}, "phi-3"),
        ("phi3", (*ROLES, "<|end|>"), {"tokenizer": "gpt2"}, "phi-4-mini"),
        ("phi3", (*CHATML, "<|im_sep|>"), {"tokenizer": "gpt2"}, "phi-4"),
        ("qwen2", (*CHATML, "<\uff5cUser\uff5c>", "<\uff5cAssistant\uff5c>"), {}, "deepseek"),
        ("llama", CHATML, {}, "chatml"),
        ("falcon", (), {}, "chatml"),
    ],
)
def test_a_family_is_known_by_what_the_file_says(
    architecture: str, tokens: tuple[str, ...], facts: dict[str, object], expected: str
) -> None:
    assert family(architecture, *tokens, **facts) == expected


def test_what_the_file_says_goes_before_any_name() -> None:
    named = {"names": ("Mistral 7B",), "file_name": "llama-2-7b-chat.gguf"}
    assert family("gemma2", **named) == "gemma"
    assert family("llama", *LLAMA_3, **named) == "llama-3"


def test_the_name_in_the_metadata_goes_before_the_files_name() -> None:
    assert family("llama", names=("Mistral 7B",), file_name="llama-2-7b-chat.gguf") == "mistral-v1"
    assert family("llama", names=("my favourite",), file_name="llama-2-7b-chat.gguf") == "llama-2"
    assert family("llama", repository="Mistral-7B-GGUF", file_name="llama-2-7b-chat.gguf") == "mistral-v1"


def test_what_nothing_tells_of_is_chatml_and_said_to_be_unknown() -> None:
    found = recognise(Facts("falcon", file_name="model.gguf"))
    assert (found.family.name, found.is_known) == ("chatml", False)
    assert "nothing in it tells" in found.reason
    assert recognise(Facts("llama", tokens=frozenset(CHATML))).is_known


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (Facts("llama", tokens=frozenset(CHATML)), "its vocabulary has <|im_start|> <|im_end|>"),
        (Facts("gemma2"), "its architecture is gemma2"),
        (Facts("llama", names=("Llama 2",)), "its metadata call it 'Llama 2'"),
        (Facts("llama", file_name="llama-2.gguf"), "its file is called 'llama-2.gguf'"),
    ],
)
def test_the_reason_says_what_told_the_family(facts: Facts, reason: str) -> None:
    assert recognise(facts).reason == reason


def test_every_family_can_be_recognised_by_the_name_that_people_write() -> None:
    titles = {family.title: family.name for family in FAMILIES.values()}
    by_tokens_only = {"mistral-v3", "mistral-v3-tekken", "mistral-v7-tekken"}
    for title, name in titles.items():
        if name not in by_tokens_only:
            assert family("llama", file_name=f"{title}.gguf") == name
