"""Embeddings: body -> EmbeddingRequest, result -> body. Must not know how vectors are computed."""

from collections.abc import Mapping

from engine import EmbeddingRequest, EmbeddingResult, JsonObject, ModelEntry
from handlers.wire.openai.inputs import each_input
from handlers.wire.refusal import InvalidParameter
from handlers.wire.types.openai import CreateEmbeddingRequest as Body
from handlers.wire.vectors import as_base64, as_numbers, check_dimensions

MAX_TOKENS = 300_000
"""Over all inputs of a request, as published."""


def parse(body: Body, entry: ModelEntry) -> EmbeddingRequest:
    """The vectors that a validated body asks for, from the model that it names. Raises InvalidParameter."""
    return EmbeddingRequest(
        model=body["model"],
        inputs=each_input(body["input"]),
        dimensions=check_dimensions(body.get("dimensions"), entry),
    )


def names(body: Body) -> Mapping[str, str]:
    """What the client calls the engine's inputs: a single one has no number."""
    given = body["input"]
    return {"input[0]": "input"} if isinstance(given, str) or isinstance(given[0], int) else {}


def most_tokens(request: EmbeddingRequest) -> int:
    """What the inputs cannot have more tokens than: a token of text is at least one byte of it."""
    return sum(len(text.encode()) if isinstance(text, str) else len(text) for text in request.inputs)


def check_total(tokens: int) -> None:
    """Raises InvalidParameter where the inputs together have too many tokens."""
    if tokens > MAX_TOKENS:
        raise InvalidParameter(
            f"input: expected at most {MAX_TOKENS} tokens over all inputs, but got {tokens}", "input"
        )


def render(result: EmbeddingResult, body: Body) -> JsonObject:
    """The vectors in the order of the inputs, in the encoding that `body` asks for."""
    encode = as_base64 if body.get("encoding_format") == "base64" else as_numbers
    tokens = result.usage.prompt_tokens
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": encode(vector)}
            for index, vector in enumerate(result.vectors)
        ],
        "model": body["model"],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }
