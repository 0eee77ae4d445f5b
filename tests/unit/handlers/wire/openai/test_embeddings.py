"""Embeddings: every form of input and both encodings, and the limits of the API."""

import base64
import struct
from typing import Any

import pytest

from engine import EmbeddingResult
from handlers.wire.openai import embeddings as wire
from handlers.wire.refusal import InvalidParameter
from tests.unit.handlers.wire.scripted import TIMINGS, USAGE, conforming, entry

RESULT = EmbeddingResult(
    vectors=(struct.pack("<2f", 0.5, -1.0), struct.pack("<2f", 0, 2)), usage=USAGE, timings=TIMINGS
)


def body(given: Any = "Hi", **fields: Any) -> Any:
    return conforming({"model": "demo", "input": given, **fields}, "openai", "CreateEmbeddingRequest")


@pytest.mark.parametrize(
    ("given", "inputs"),
    [("a", ("a",)), (["a", "b"], ("a", "b")), ([1, 2], ((1, 2),)), ([[1], [2, 3]], ((1,), (2, 3)))],
)
def test_an_input_is_text_or_tokens_one_or_several(given: Any, inputs: Any) -> None:
    request = wire.parse(body(given), entry())
    assert (request.inputs, request.normalize, request.truncate) == (inputs, True, False)


def test_vectors_can_be_cut_but_not_made_longer() -> None:
    assert wire.parse(body(dimensions=256), entry()).dimensions == 256
    with pytest.raises(InvalidParameter, match="dimensions: 257 were asked for, but the vectors of 'demo' have 256"):
        wire.parse(body(dimensions=257), entry())


def test_all_inputs_together_have_a_limit_of_tokens() -> None:
    wire.check_total(300_000)
    with pytest.raises(InvalidParameter, match="at most 300000 tokens over all inputs, but got 300001"):
        wire.check_total(300_001)


def test_a_text_has_at_most_as_many_tokens_as_bytes() -> None:
    assert wire.most_tokens(wire.parse(body(["€", "ab"]), entry())) == 5
    assert wire.most_tokens(wire.parse(body([[1, 2], [3]]), entry())) == 3


def test_the_shape_of_an_answer_in_numbers() -> None:
    assert conforming(wire.render(RESULT, body()), "openai", "CreateEmbeddingResponse") == {
        "object": "list",
        "data": [
            {"object": "embedding", "index": 0, "embedding": [0.5, -1.0]},
            {"object": "embedding", "index": 1, "embedding": [0.0, 2.0]},
        ],
        "model": "demo",
        "usage": {"prompt_tokens": 11, "total_tokens": 11},
    }


def test_base64_holds_the_same_values_as_little_endian_floats() -> None:
    answer = conforming(wire.render(RESULT, body(encoding_format="base64")), "openai", "CreateEmbeddingResponse")
    assert struct.unpack("<2f", base64.b64decode(answer["data"][0]["embedding"])) == (0.5, -1.0)
