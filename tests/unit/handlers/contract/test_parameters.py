"""Path and query parameters: converted to the declared types, and refused by name."""

import pytest

from handlers.contract.documented import Reader, operations
from handlers.contract.parameters import Parameters
from handlers.contract.schemas import Schemas
from handlers.errors import ApiError

SPEC = {
    "paths": {
        "/x/{id}": {
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
            ],
            "get": {
                "operationId": "x",
                "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": ["integer", "null"], "maximum": 100}},
                    {"name": "ratio", "in": "query", "schema": {"anyOf": [{"type": "null"}, {"type": "number"}]}},
                    {"name": "deep", "in": "query", "schema": {"type": "boolean"}},
                    {"name": "include", "in": "query", "schema": {"type": "array", "items": {"enum": ["a,b", "c"]}}},
                    {"name": "order", "in": "query", "required": True, "schema": {"$ref": "#/order"}},
                ],
                "responses": {"200": {"description": ""}},
            },
        }
    },
    "order": {"type": "string", "enum": ["asc", "desc"]},
}
(OPERATION,) = operations("test", SPEC)
PARAMETERS = Parameters(OPERATION.parameters, Reader("test", SPEC), Schemas({"test": SPEC}))


def read(query):
    return PARAMETERS.query({"query_string": query.encode()})


def test_each_value_has_its_declared_type():
    values, unknown = read("limit=5&ratio=0.5&deep=true&include[]=a,b&include=c&order=asc")
    assert values == {"limit": 5, "ratio": 0.5, "deep": True, "include": ["a,b", "c"], "order": "asc"}
    assert unknown == []


def test_undeclared_names_are_reported():
    assert read("order=asc&beta=true&after=1")[1] == ["beta", "after"]


def test_absent_parameters_are_absent():
    assert read("order=asc")[0] == {"order": "asc"}


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("order=asc&limit=many", "limit"),
        ("order=asc&limit=101", "limit"),
        ("order=asc&deep=1", "deep"),
        ("order=asc&include=b", "include"),
        ("order=up", "order"),
        ("limit=5", "order"),
    ],
)
def test_a_bad_value_is_400_and_named(query, param):
    with pytest.raises(ApiError) as refusal:
        read(query)
    assert refusal.value.status == 400
    assert (refusal.value.param or "").startswith(param)


@pytest.mark.parametrize("query", ["order=%ff", "&".join("a=1" for _ in range(2_000))])
def test_a_query_that_is_no_query_is_400(query):
    with pytest.raises(ApiError):
        read(query)


def test_path_parameters_are_checked():
    assert PARAMETERS.path({"path_params": {"id": "org/name"}}) == {"id": "org/name"}
    with pytest.raises(ApiError):
        PARAMETERS.path({"path_params": {"id": ""}})
