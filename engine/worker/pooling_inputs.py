"""Owns what becomes of inputs before a model pools them: texts and pairs of texts to tokens, of legal ids and length.

Must not know batches, nor what is computed.
"""

import re
from collections.abc import Sequence

from engine.errors import EngineError
from engine.llama.model import Model
from engine.request import EmbeddingRequest, RerankRequest

_PLACE = re.compile(r"\{(query|document)\}")


def embedding_inputs(model: Model, request: EmbeddingRequest, limit_tokens: int) -> list[Sequence[int]]:
    """The tokens of each input. EngineError names the one at fault."""
    limit = min(limit_tokens, request.context_limit_tokens or limit_tokens)
    return [
        _fitting(model, _tokens(model, given, f"input[{n}]"), limit, f"input[{n}]", cut=request.truncate)
        for n, given in enumerate(request.inputs)
    ]


def rerank_inputs(model: Model, request: RerankRequest, limit_tokens: int) -> list[Sequence[int]]:
    """The tokens of the query with each document. EngineError names the document at fault."""
    return [
        _fitting(model, _pair(model, request.query, document), limit_tokens, f"documents[{n}]")
        for n, document in enumerate(request.documents)
    ]


def _tokens(model: Model, given: str | Sequence[int], param: str) -> Sequence[int]:
    if isinstance(given, str):
        return model.tokenize(given, add_special=True, parse_special=True)
    size = model.vocabulary_size
    wrong = next((t for t in given if not 0 <= t < size), None)
    if wrong is None:
        return given
    message = f"token id {wrong} is not in the model's vocabulary; expected 0 to {size - 1}"
    raise EngineError("invalid_request", message, param=param)


def _pair(model: Model, query: str, document: str) -> Sequence[int]:
    """As the model's own template puts them, else as encoders were trained to read two texts: a separator between them and one at the
    end, which llama-server leaves out where the vocabulary is WordPiece."""
    if model.rerank_template is not None:
        texts = {"query": query, "document": document}
        prompt = _PLACE.sub(lambda place: texts[place[1]], model.rerank_template)
        return model.tokenize(prompt, add_special=False, parse_special=True)
    if not model.pair_separators:
        message = "this model's file does not say how it reads a query and a document together"
        raise EngineError("not_supported_by_model", message, param="model")
    before, after = model.surroundings
    first, second = (model.tokenize(text, add_special=False, parse_special=False) for text in (query, document))
    return [*before, *first, *model.pair_separators, *second, *after]


def _fitting(model: Model, tokens: Sequence[int], limit: int, param: str, *, cut: bool = False) -> Sequence[int]:
    if not tokens:
        raise EngineError("invalid_request", "the input has no tokens; expected at least one", param=param)
    if len(tokens) <= limit:
        return tokens
    if cut:
        return _cut(model, tokens, limit)
    message = f"the input has {len(tokens)} tokens, but this model takes at most {limit}"
    raise EngineError("context_length_exceeded", message, param=param)


def _cut(model: Model, tokens: Sequence[int], limit: int) -> Sequence[int]:
    """The first `limit` tokens; the separator that an encoder expects at the end stays there."""
    ends = {model.separator_token, *model.end_tokens}
    return [*tokens[: limit - 1], tokens[-1]] if tokens[-1] in ends else tokens[:limit]
