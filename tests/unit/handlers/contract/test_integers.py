"""Integers written as decimals become integers where the schema wants some, and nowhere else."""

import pytest

from handlers.contract.documented import Place, Reader
from handlers.contract.integers import integer_fields, make_integral
from handlers.errors import ApiError

SPEC = {
    "root": {
        "properties": {
            "count": {"type": ["integer", "null"]},
            "heat": {"type": "number"},
            "either": {"anyOf": [{"type": "integer"}, {"type": "number"}]},
            "options": {"properties": {"depth": {"type": "integer"}}},
            "tokens": {
                "oneOf": [
                    {"type": "string"},
                    {"type": "array", "items": {"type": "integer"}},
                    {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
                ]
            },
            "shared": {
                "oneOf": [
                    {"type": "array", "items": {"$ref": "#/token"}},
                    {"type": "array", "items": {"type": "array", "items": {"$ref": "#/token"}}},
                ]
            },
            "calls": {"type": "array", "items": {"properties": {"index": {"type": "integer"}}}},
            "self": {"$ref": "#/root"},
        }
    },
    "token": {"type": "integer"},
}
INTEGERS = integer_fields(Reader("test", SPEC), Place("test", "/root"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"count": 3.0}, {"count": 3}),
        ({"count": None}, {"count": None}),
        ({"heat": 1.0}, {"heat": 1.0}),
        ({"either": 1.0}, {"either": 1.0}),
        ({"options": {"depth": 2.0}}, {"options": {"depth": 2}}),
        ({"tokens": [1, 2.0, 3]}, {"tokens": [1, 2, 3]}),
        ({"tokens": [[1], [2.0]]}, {"tokens": [[1], [2]]}),
        ({"shared": [1, 2.0]}, {"shared": [1, 2]}),
        ({"shared": [[1], [2.0]]}, {"shared": [[1], [2]]}),
        ({"tokens": "1.0"}, {"tokens": "1.0"}),
        ({"calls": [{"index": 1.0}]}, {"calls": [{"index": 1}]}),
        ({"unknown": 1.0}, {"unknown": 1.0}),
    ],
)
def test_only_integer_fields_change(value, expected):
    result = make_integral(INTEGERS, value)
    assert repr(result) == repr(expected)


@pytest.mark.parametrize(("value", "param"), [({"count": 1e30}, "count"), ({"tokens": [1, 1e19]}, "tokens[1]")])
def test_what_64_bits_cannot_hold_is_refused_by_name(value, param):
    with pytest.raises(ApiError) as refusal:
        make_integral(INTEGERS, value)
    assert (refusal.value.status, refusal.value.param) == (400, param)
