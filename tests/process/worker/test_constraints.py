"""Schemas from strangers: each is kept to, or refused at a price that does not depend on what it asks for."""

import json
import time

import pytest

from engine.errors import EngineError
from engine.request import JsonConstraint, SamplingParams
from tests.process.worker.inprocess import InProcess, request


def sampled():
    return SamplingParams(temperature=1.0, seed=7)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "multipleOf": 1_000_003},
        {"allOf": [{"type": "integer", "multipleOf": 1009}, {"type": "integer", "multipleOf": 1013}]},
        {"type": "object", "properties": {f"p{i}": {"multipleOf": 100.003} for i in range(9)}},
    ],
)
def test_a_schema_that_costs_too_much_to_compile_is_refused_before_it_is(model: InProcess, schema):
    begun = time.thread_time()
    with pytest.raises(EngineError, match="multipleOf") as caught:
        model.run(request("a", constraint=JsonConstraint(schema=json.dumps(schema))))
    assert caught.value.code == "unsupported_schema"
    assert time.thread_time() - begun < 1


def test_a_schema_with_ordinary_multiples_is_kept_to(model: InProcess):
    schema = {
        "type": "array",
        "items": {"type": "number", "multipleOf": 0.25, "minimum": 0, "maximum": 9},
        "minItems": 2,
        "maxItems": 2,
    }
    constraint = JsonConstraint(schema=json.dumps(schema))
    (answer,) = model.run(request("a", constraint=constraint, max_tokens=200, sampling=sampled()))
    assert all(number % 0.25 == 0 for number in json.loads(answer.text))


@pytest.mark.parametrize("schema", ['{"$ref": "#"}', '{"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}'])
def test_a_schema_that_no_document_can_meet_is_refused(model: InProcess, schema):
    with pytest.raises(EngineError) as caught:
        model.run(request("a", constraint=JsonConstraint(schema=schema)))
    assert caught.value.code == "unsupported_schema"
    assert "\n" not in caught.value.message
