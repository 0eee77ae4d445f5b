"""Ranking with real models, of random weights: an encoder with a head of one output, and a chat model that says yes or no."""

import numpy as np
import pytest

from engine.errors import EngineError
from engine.events import Admitted, RerankResult
from engine.request import EmbeddingRequest, RerankRequest
from tests.process.worker.inprocess import InProcess, load
from tools.bench_model.shapes import PRESETS
from tools.make_bench_model import write_model

QUERY = "which colour has the sky"
DOCUMENTS = ("red", "the sky is blue, all day long", "one two three " * 20)


@pytest.fixture(scope="module", params=["ranker", "chat-ranker"])
def ranker(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("ranker") / "ranker.gguf"
    write_model(path, PRESETS[request.param], name="ranker")
    with load(path=path, ctx_size_tokens=0) as worker:
        yield InProcess(worker)


def rank(model, *documents, query=QUERY):
    embedder = model.worker.embedder
    embedder.add(embedder.prepare(1, RerankRequest(model="m", query=query, documents=documents)))
    events = []
    while not embedder.is_idle:
        events += [event for _, event in embedder.step()]
    admitted, result = events
    assert isinstance(admitted, Admitted)
    assert isinstance(result, RerankResult)
    return result


def test_every_document_gets_a_score_between_0_and_1_that_differs(ranker):
    scores = rank(ranker, *DOCUMENTS).scores
    assert len(set(scores)) == 3
    assert all(0 < score < 1 for score in scores)


def test_company_does_not_change_a_score(ranker):
    alone = [rank(ranker, document).scores[0] for document in DOCUMENTS]
    assert rank(ranker, *DOCUMENTS).scores == pytest.approx(alone, abs=1e-3)


def test_the_query_matters(ranker):
    scores = [rank(ranker, *DOCUMENTS, query=query).scores for query in (QUERY, "how many are three and four")]
    assert not np.allclose(*scores, atol=1e-4)


def test_a_document_too_long_to_be_read_with_the_query_is_refused_and_named(ranker):
    with pytest.raises(EngineError, match=f"at most {ranker.worker.embedder.limit_tokens}") as caught:
        rank(ranker, "short", "word " * 3000)
    assert (caught.value.code, caught.value.param) == ("context_length_exceeded", "documents[1]")


def test_a_ranking_model_only_ranks(ranker):
    assert ranker.generator is None
    assert ranker.worker.facts.capabilities == ("rerank",)
    with pytest.raises(EngineError, match="does not embed"):
        ranker.worker.embedder.prepare(1, EmbeddingRequest(model="m", inputs=("a",)))


def test_a_query_that_looks_like_a_place_in_the_template_stays_text(ranker):
    embedder = ranker.worker.embedder
    job = embedder.prepare(1, RerankRequest(model="m", query="{document}", documents=("secret",)))
    assert ranker.worker.preparer.text(tuple(job.inputs[0])).count("secret") == 1


def test_an_encoder_reads_the_pair_with_a_separator_between_and_after(tmp_path):
    path = tmp_path / "ranker.gguf"
    write_model(path, PRESETS["ranker"], name="ranker")
    with load(path=path, ctx_size_tokens=0) as worker:
        job = worker.embedder.prepare(1, RerankRequest(model="m", query="a", documents=("b",)))
        first, second = (worker.model.tokenize(text, add_special=True, parse_special=True) for text in ("a", "b"))
    assert list(job.inputs[0]) == [*first, *second[1:]]
