"""`/api/embed` and the older `/api/embeddings`."""

import struct
from typing import Any

import pytest

from engine import EmbeddingResult, Timings, Usage
from handlers.wire.ollama import embed as wire
from handlers.wire.refusal import InvalidParameter
from tests.unit.handlers.wire.scripted import TIMINGS, USAGE, conforming, entry

RESULT = EmbeddingResult(vectors=(struct.pack("<2f", 0.5, -1.0),), usage=USAGE, timings=TIMINGS)
NOTHING = EmbeddingResult(vectors=(), usage=Usage(), timings=Timings())


def body(given: Any, **fields: Any) -> Any:
    return conforming({"model": "demo", "input": given, **fields}, "ollama", "EmbedRequest")


def older(**fields: Any) -> Any:
    return conforming({"model": "demo", **fields}, "ollama", "EmbeddingsRequest")


@pytest.mark.parametrize(("given", "inputs"), [("a", ("a",)), (["a", "b"], ("a", "b")), ("", ()), ([], ())])
def test_an_input_is_one_text_or_several_or_nothing(given: Any, inputs: tuple[str, ...]) -> None:
    request = wire.parse(body(given), entry())
    assert (request.inputs, request.truncate, request.normalize) == (inputs, True, True)


def test_options_and_the_rest_reach_the_engine() -> None:
    request = wire.parse(body("a", truncate=False, dimensions=8, keep_alive=-1, options={"num_ctx": 64}), entry())
    assert (request.truncate, request.dimensions) == (False, 8)
    assert (request.keep_alive_seconds, request.context_limit_tokens) == (-1, 64)


def test_vectors_cannot_be_made_longer() -> None:
    with pytest.raises(InvalidParameter, match="dimensions"):
        wire.parse(body("a", dimensions=257), entry())


def test_the_shape_of_an_answer() -> None:
    assert conforming(wire.render(RESULT, body("a")), "ollama", "EmbedResponse") == {
        "model": "demo",
        "embeddings": [[0.5, -1.0]],
        "total_duration": 330,
        "load_duration": 5,
        "prompt_eval_count": 11,
    }


def test_the_older_form_gives_the_vector_as_the_model_does_and_cuts_no_text() -> None:
    request = wire.parse_older(older(prompt="a", keep_alive="1m"))
    assert (request.inputs, request.normalize, request.truncate) == (("a",), False, False)
    assert request.keep_alive_seconds == 60
    assert conforming(wire.render_older(RESULT), "ollama", "EmbeddingsResponse") == {"embedding": [0.5, -1.0]}


def test_the_older_form_answers_no_prompt_with_an_empty_vector() -> None:
    assert wire.parse_older(older()).inputs == ()
    assert wire.render_older(NOTHING) == {"embedding": []}
