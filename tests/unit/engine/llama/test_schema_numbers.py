"""Numbers that llguidance takes for others are found, and ordinary ones are not."""

import pytest

from engine.llama.schema_numbers import confused_numbers, keep_bounds


@pytest.mark.parametrize(
    ("schema", "keyword"),
    [
        ({"const": 12345678901234567890123}, "const"),
        ({"enum": ["a", {"b": [(1 << 53) + 1]}]}, "enum"),
        ({"const": 10**400}, "const"),
        ({"const": 1.2345678901234568e22}, "const"),  # as the HTTP layer reads an integer that long
        ({"minimum": 10**30, "maximum": 10**30 + 5}, "minimum"),
        ({"minimum": (1 << 53) + 1}, "minimum"),
        ({"maximum": -(1 << 63)}, "maximum"),
        ({"exclusiveMaximum": -1e19}, "exclusiveMaximum"),
        ({"maximum": 10**17 + 3}, "maximum"),
    ],
)
def test_a_number_that_would_be_another_is_named(schema, keyword):
    assert [name for name, _ in confused_numbers(schema)][:1] == [keyword]


@pytest.mark.parametrize(
    "schema",
    [
        {"const": 10**18},
        {"enum": [1, 0.1, True, None, -(1 << 53)]},
        {"minimum": -(10**15), "maximum": (1 << 63) - 1},
        {"minimum": -(1 << 63)},
        {"minimum": -1e30, "maximum": 1e30},
        {"maximum": 18446744073709551615},
        {"minimum": 3, "exclusiveMinimum": True},
        {"exclusiveMinimum": 0, "maximum": 1},
        {"exclusiveMinimum": 0.5, "maximum": 0.75},
        {"exclusiveMinimum": -1, "maximum": -0.5},
        {"type": "integer", "exclusiveMinimum": 3, "maximum": 3.5},
        {"minimum": 1.5, "exclusiveMinimum": 1, "maximum": 1.75},
    ],
)
def test_ordinary_numbers_are_kept(schema):
    assert not list(confused_numbers(schema))


@pytest.mark.parametrize(
    ("schema", "kept"),
    [
        ({"exclusiveMinimum": 3, "maximum": 3.5}, {"minimum": 3.0000000000000004, "maximum": 3.5}),
        ({"minimum": -2.5, "exclusiveMaximum": -2}, {"minimum": -2.5, "maximum": -2.0000000000000004}),
        ({"exclusiveMinimum": 0, "maximum": 0.5}, {"minimum": 1e-30, "maximum": 0.5}),
        ({"minimum": 1.5, "exclusiveMinimum": 1, "maximum": 1.75}, {"minimum": 1.5, "maximum": 1.75}),
        ({"exclusiveMinimum": 3, "maximum": 4}, {"exclusiveMinimum": 3, "maximum": 4}),
        ({"exclusiveMinimum": 0.5, "maximum": 0.75}, {"exclusiveMinimum": 0.5, "maximum": 0.75}),
        ({"minimum": -(1 << 63)}, {"minimum": -9_223_372_036 * 10**9}),
        (
            {"exclusiveMinimum": -1e30, "maximum": 1e30},
            {"minimum": -9_223_372_036 * 10**9, "maximum": 9_223_372_036 * 10**9},
        ),
        ({"type": "integer", "maximum": (1 << 63) - 1}, {"type": "integer", "maximum": (1 << 63) - 1}),
    ],
)
def test_bounds_are_written_in_numbers_that_are_kept(schema, kept):
    keep_bounds([schema])
    assert schema == kept


def test_an_excluded_integer_meets_the_bounds_of_other_schemas_too():
    schemas = [{"exclusiveMinimum": 1}, {"exclusiveMaximum": 1.5}, {"exclusiveMinimum": 2}]
    keep_bounds(schemas)
    assert schemas == [{"minimum": 1.0000000000000002}, {"exclusiveMaximum": 1.5}, {"exclusiveMinimum": 2}]
