"""The official Python clients as a second source: whatever they can send or read is in our documents."""

from typing import get_type_hints

import ollama
import pytest
from openai.types import completion_create_params, embedding_create_params
from openai.types.chat import completion_create_params as chat_params
from openai.types.responses import response_create_params

import openapi


def properties(document, name):
    return openapi.document(document)["components"]["schemas"][name]["properties"].keys()


@pytest.mark.parametrize(
    ("schema", "params"),
    [
        ("CreateChatCompletionRequest", chat_params.CompletionCreateParamsStreaming),
        ("CreateResponse", response_create_params.ResponseCreateParamsStreaming),
        ("CreateCompletionRequest", completion_create_params.CompletionCreateParamsStreaming),
        ("CreateEmbeddingRequest", embedding_create_params.EmbeddingCreateParams),
    ],
)
def test_every_parameter_of_the_openai_client_is_described(schema, params):
    """What `client.chat.completions.create()` and its siblings take by name, the document knows."""
    assert get_type_hints(params).keys() - properties("openai", schema) == set()


@pytest.mark.parametrize(
    ("schema", "model", "unserved"),
    [
        ("GenerateRequest", "GenerateRequest", {"width", "height", "steps"}),  # experimental: pictures generated
        ("ChatRequest", "ChatRequest", set()),
        ("ChatMessage", "Message", set()),
        ("EmbedRequest", "EmbedRequest", set()),
        ("EmbeddingsRequest", "EmbeddingsRequest", set()),
        ("ShowRequest", "ShowRequest", set()),
        ("ModelOptions", "Options", set()),
        ("GenerateResponse", "GenerateResponse", {"image", "completed", "total"}),
        ("ChatResponse", "ChatResponse", set()),
        (
            "EmbedResponse",
            "EmbedResponse",
            {"created_at", "done", "done_reason", "prompt_eval_duration", "eval_count", "eval_duration"},
        ),
        ("Ps", "ProcessResponse.Model", set()),
        ("ModelSummary", "ListResponse.Model", set()),
        ("ModelDetails", "ModelDetails", set()),
    ],
)
def test_every_field_of_the_ollama_client_is_described(schema, model, unserved):
    """What the client sends and reads, the document knows; its base class for responses has fields that embed never had."""
    found = ollama._types
    for part in model.split("."):
        found = getattr(found, part)
    assert found.model_fields.keys() - properties("ollama", schema) == unserved
