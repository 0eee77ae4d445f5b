"""Ranking over HTTP with a model that can, of random weights, and one that can't."""

import httpx
import pytest

from engine import BUNDLED_MODEL
from tests.launch import DEMO_MODEL, serving
from tools.bench_model.shapes import PRESETS
from tools.make_bench_model import write_model

DOCUMENTS = ["grass is green", {"text": "the sky is blue"}, "snow"]


@pytest.fixture(scope="module")
def ranking(tmp_path_factory):
    """A client of a server that has a model that ranks."""
    directory = tmp_path_factory.mktemp("ranking")
    write_model(directory / "ranker.gguf", PRESETS["ranker"], name="ranker")
    models = ("--model", str(BUNDLED_MODEL), "--model", str(directory / "ranker.gguf"))
    with serving(directory, *models) as running, httpx.Client(base_url=running.url, timeout=60) as client:
        yield client


def rerank(client, model="ranker", **fields):
    body = {"model": model, "query": "which colour has the sky", "documents": DOCUMENTS}
    return client.post("/v1/rerank", json=body | fields)


def test_documents_come_back_best_first(ranking):
    answer = rerank(ranking, return_documents=True).raise_for_status().json()
    scores = [result["relevance_score"] for result in answer["results"]]
    assert scores == sorted(scores, reverse=True)
    assert {result["index"]: result["document"]["text"] for result in answer["results"]} == {
        0: "grass is green",
        1: "the sky is blue",
        2: "snow",
    }
    assert answer["usage"]["prompt_tokens"] > 0


def test_top_n_are_the_first_of_all(ranking):
    best = rerank(ranking, top_n=1).raise_for_status().json()["results"]
    assert best == rerank(ranking).json()["results"][:1]


def test_a_model_that_does_not_rank_is_refused_by_name(ranking):
    response = rerank(ranking, model=DEMO_MODEL)
    error = response.json()["error"]
    assert (response.status_code, error["param"], error["code"]) == (400, "model", "not_supported_by_model")
    assert DEMO_MODEL in error["message"]


def test_a_document_that_is_too_long_is_named(ranking):
    error = rerank(ranking, documents=["short", "word " * 2000]).json()["error"]
    assert (error["param"], error["code"]) == ("documents[1]", "context_length_exceeded")


def test_a_ranking_model_neither_embeds_nor_chats(ranking):
    embedding = ranking.post("/v1/embeddings", json={"model": "ranker", "input": "a"})
    chat = ranking.post(
        "/v1/chat/completions", json={"model": "ranker", "messages": [{"role": "user", "content": "a"}]}
    )
    assert [response.json()["error"]["code"] for response in (embedding, chat)] == ["not_supported_by_model"] * 2
