"""Ranking: both forms of a document, the order of the answer, and models that can't."""

from typing import Any

import pytest

from engine import RerankResult
from handlers.wire.refusal import InvalidParameter
from handlers.wire.server import rerank as wire
from tests.unit.handlers.wire.scripted import TIMINGS, USAGE, conforming, entry

RANKER = entry("ranker", pooling="rank")
RESULT = RerankResult(scores=(0.25, 0.75, 0.25), usage=USAGE, timings=TIMINGS)


def body(*documents: Any, **fields: Any) -> Any:
    given = {"model": "ranker", "query": "q", "documents": documents or ("a", {"text": "b"}, "c"), **fields}
    return conforming(given | {"documents": list(given["documents"])}, "server", "RerankRequest")


def answer(**fields: Any) -> Any:
    return conforming(wire.render(RESULT, body(**fields)), "server", "RerankResponse")


def test_a_document_is_a_text_or_an_object_with_one() -> None:
    request = wire.parse(body(), RANKER)
    assert (request.model, request.query, request.documents) == ("ranker", "q", ("a", "b", "c"))


def test_the_best_document_comes_first_and_equal_ones_in_the_requests_order() -> None:
    assert answer() == {
        "object": "list",
        "model": "ranker",
        "results": [
            {"index": 1, "relevance_score": 0.75},
            {"index": 0, "relevance_score": 0.25},
            {"index": 2, "relevance_score": 0.25},
        ],
        "usage": {"prompt_tokens": 11, "total_tokens": 11},
    }


@pytest.mark.parametrize(("top_n", "count"), [(1, 1), (2, 2), (9, 3)])
def test_no_more_than_the_wanted_number_of_documents_is_returned(top_n: int, count: int) -> None:
    assert len(answer(top_n=top_n)["results"]) == count


def test_a_result_repeats_its_document_where_that_is_wanted() -> None:
    assert [result["document"] for result in answer(return_documents=True)["results"]] == [
        {"text": "b"},
        {"text": "a"},
        {"text": "c"},
    ]


def test_a_model_that_does_not_rank_is_named() -> None:
    with pytest.raises(InvalidParameter, match="'demo' does not rank texts") as caught:
        wire.parse(body(), entry("demo"))
    assert (caught.value.param, caught.value.code) == ("model", "not_supported_by_model")
