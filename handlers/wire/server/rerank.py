"""Ranking: body -> RerankRequest, result -> body. Must not know how scores are computed."""

from engine import ModelEntry, RerankRequest, RerankResult
from handlers.wire.refusal import InvalidParameter
from handlers.wire.types import server as types


def parse(body: types.RerankRequest, entry: ModelEntry) -> RerankRequest:
    """The scores that a validated body asks for, from the model that it names. Raises InvalidParameter where it can't rank."""
    if entry.metadata.pooling != "rank":
        message = f"model: {entry.name!r} does not rank texts; /v1/rerank needs a model with a ranking head"
        raise InvalidParameter(message, "model", code="not_supported_by_model")
    return RerankRequest(model=body["model"], query=body["query"], documents=tuple(map(_text, body["documents"])))


def render(result: RerankResult, body: types.RerankRequest) -> types.RerankResponse:
    """The best documents, as many as `body` asks for."""
    by_score = sorted(range(len(result.scores)), key=lambda index: result.scores[index], reverse=True)
    tokens = result.usage.prompt_tokens
    return {
        "object": "list",
        "model": body["model"],
        "results": [_rendered(index, result.scores[index], body) for index in by_score[: body.get("top_n")]],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _rendered(index: int, score: float, body: types.RerankRequest) -> types.RerankResult:
    rendered: types.RerankResult = {"index": index, "relevance_score": score}
    if body.get("return_documents"):
        rendered["document"] = {"text": _text(body["documents"][index])}
    return rendered


def _text(document: str | types.RerankText) -> str:
    return document if isinstance(document, str) else document["text"]
