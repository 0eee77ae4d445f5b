"""What coverage.yaml refuses, and what of it passes all the same."""

import pytest

import openapi
from handlers.contract.coverage import limits, unserved
from handlers.contract.schemas import compiled
from handlers.errors import ApiError

LIMITS = limits(
    {
        "parameters": {
            "fine": "honoured",
            "hinted": "hint",
            "store": {"status": "planned", "reason": "Later.", "neutral": [False]},
            "never": {"status": "refused", "reason": "Never."},
            "count": {"status": "refused", "reason": "One only.", "neutral": [1]},
            "parts[]": {
                "status": "planned",
                "reason": "No pictures.",
                "when": {"type": "object", "properties": {"type": {"const": "image"}}, "required": ["type"]},
            },
            "tools[].function.strict": {"status": "planned", "reason": "Later.", "neutral": [False]},
            "choice": [
                {"status": "planned", "reason": "Objects later.", "when": {"type": "object"}},
                {"status": "refused", "reason": "Not this word.", "when": {"const": "that"}},
            ],
        }
    }
)


@pytest.mark.parametrize(
    "body",
    [
        {"fine": 1, "hinted": 2, "unlisted": 3},
        {"store": False},
        {"store": None, "never": None},
        {"count": 1.0},
        {"parts": [{"type": "text"}, "text"]},
        {"tools": [{"function": {}}, {"function": {"strict": False}}]},
        {"choice": "this"},
        {"tools": "not a list"},
    ],
)
def test_what_is_covered_or_neutral_passes(body):
    LIMITS.check(body)
    assert compiled(LIMITS.schema()).is_valid(body)


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        ({"store": True}, "store", "Later. Leave it out or send false."),
        ({"never": 0}, "never", "Never. Leave it out."),
        ({"count": True}, "count", "One only."),
        ({"parts": [{"type": "text"}, {"type": "image"}]}, "parts[1]", "No pictures."),
        ({"tools": [{}, {"function": {"strict": True}}]}, "tools[1].function.strict", "Later."),
        ({"choice": {}}, "choice", "Objects later."),
        ({"choice": "that"}, "choice", "Not this word."),
    ],
)
def test_anything_else_is_refused_by_name_with_the_reason(body, param, words):
    with pytest.raises(ApiError) as refusal:
        LIMITS.check(body)
    assert (refusal.value.status, refusal.value.code, refusal.value.param) == (400, "unsupported_parameter", param)
    assert words in refusal.value.message
    assert not compiled(LIMITS.schema()).is_valid(body)


@pytest.mark.parametrize("operation", ["generate", "chat", "embed", "embeddings"])
def test_ollamas_own_defaults_pass(operation):
    """Clients that fill in every option send them; they ask for nothing special."""
    at_start = {"numa": False, "num_batch": 512, "num_gpu": -1, "main_gpu": 0, "num_thread": 0, "use_mmap": True}
    off = dict.fromkeys(("low_vram", "vocab_only", "logits_all", "use_mlock", "embedding_only"), False)
    body = {"options": {**at_start, **off, "f16_kv": True, "num_keep": 4, "tfs_z": 1.0, "penalize_newline": True}}
    limits(openapi.coverage()["ollama"][operation]).check(body)


def test_unserved_operations_are_listed_with_their_full_paths():
    entries = {
        "served": {"status": "served"},
        "later": {"status": "planned", "method": "post", "path": "/things?beta=true", "reason": "Later."},
    }
    (operation,) = unserved("doc", "/v1", entries)
    assert (operation.key, operation.method, operation.path) == ("doc.later", "POST", "/v1/things")
    assert operation.refusal().status == 404


@pytest.mark.parametrize("document", ["openai", "ollama"])
def test_every_rule_of_the_real_coverage_can_be_read(document):
    for entry in openapi.coverage()[document].values():
        limits(entry).check({})
    assert all(operation.reason for operation in unserved(document, "", openapi.coverage()[document]))
