"""`/api/embed` and the older `/api/embeddings`: body -> EmbeddingRequest, result -> body. Must not know how vectors are computed."""

from collections.abc import Mapping

from engine import EmbeddingRequest, EmbeddingResult, JsonObject, ModelEntry
from handlers.wire.keep_alive import parse_keep_alive
from handlers.wire.nullable import or_default
from handlers.wire.types.ollama import EmbeddingsRequest, EmbedRequest, ModelOptions
from handlers.wire.vectors import as_numbers, check_dimensions

OLDER_NAMES: Mapping[str, str] = {"input[0]": "prompt"}
"""What a client of the older form calls the engine's one input."""


def names(body: EmbedRequest) -> Mapping[str, str]:
    """What the client calls the engine's inputs: a single one has no number."""
    return {"input[0]": "input"} if isinstance(body["input"], str) else {}


def parse(body: EmbedRequest, entry: ModelEntry) -> EmbeddingRequest:
    """The vectors of unit length that a validated body of `/api/embed` asks for; an empty text asks for none. Raises InvalidParameter."""
    given = body["input"]
    texts = ([given] if given else []) if isinstance(given, str) else given
    return EmbeddingRequest(
        model=body["model"],
        inputs=tuple(texts),
        truncate=or_default(body.get("truncate"), True),
        dimensions=check_dimensions(body.get("dimensions"), entry),
        context_limit_tokens=_context_limit(body),
        keep_alive_seconds=parse_keep_alive(body.get("keep_alive")),
    )


def parse_older(body: EmbeddingsRequest) -> EmbeddingRequest:
    """The vector that a validated body of `/api/embeddings` asks for, as the model gives it. No prompt asks for none."""
    prompt = body.get("prompt")
    return EmbeddingRequest(
        model=body["model"],
        inputs=(prompt,) if prompt else (),
        normalize=False,
        context_limit_tokens=_context_limit(body),
        keep_alive_seconds=parse_keep_alive(body.get("keep_alive")),
    )


def render(result: EmbeddingResult, body: EmbedRequest) -> JsonObject:
    """The vectors in the order of the texts."""
    return {
        "model": body["model"],
        "embeddings": [as_numbers(vector) for vector in result.vectors],
        "total_duration": result.timings.total_ns,
        "load_duration": result.timings.load_ns,
        "prompt_eval_count": result.usage.prompt_tokens,
    }


def render_older(result: EmbeddingResult) -> JsonObject:
    """The one vector, or an empty one where there was no prompt."""
    return {"embedding": as_numbers(result.vectors[0]) if result.vectors else []}


def _context_limit(body: EmbedRequest | EmbeddingsRequest) -> int | None:
    options: ModelOptions = body.get("options") or {}
    return options.get("num_ctx")
