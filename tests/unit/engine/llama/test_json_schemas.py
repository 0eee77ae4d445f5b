"""A schema is taken whole or refused with the place that is in the way, and answers are checked against what was asked for."""

import json

import pytest

from engine.llama.json_schemas import JsonSchema, SchemaUnsupported, without_harm


def schema(value):
    return JsonSchema(json.dumps(value))


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"properties": {"a": {"type": "any"}}}, "`$.properties.a.type`"),
        ({"items": {"minLength": -1}}, "`$.items.minLength`"),
        ({"anyOf": [{}, {"pattern": "("}]}, r"`$.anyOf[1].pattern`"),
        ({"properties": {"two words": {"dependencies": {}}}}, '`$.properties["two words"].dependencies`'),
        ({"$defs": {"a": {"x-guidance": {"lenient": True}}}}, "`$.$defs.a.x-guidance`"),
        ({"minProperties": 3, "required": ["a"]}, "`$.minProperties`"),
        ({"items": {"const": 12345678901234567890123}}, "`$.items.const`"),
        ({"$ref": "#/x", "x": {"minimum": -(1 << 64), "maximum": -(1 << 63)}}, "at the end of a reference"),
        ({"$ref": "http://127.0.0.1:9/other"}, "http://127.0.0.1:9/other is not part of this schema"),
    ],
)
def test_what_would_not_be_kept_is_named_with_its_path(value, place):
    with pytest.raises(SchemaUnsupported) as caught:
        schema(value)
    assert place in str(caught.value)


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ('Unimplemented keys: ["not"]', "`$.properties.a.not` can't be enforced"),
        ("Unknown format: zip", "`$.properties.b.format` can't be enforced: Unknown format: zip"),
        ("schema\n  too large", "schema too large"),
    ],
)
def test_a_reason_of_the_compiler_gets_its_place_and_one_line(reason, message):
    asked = schema({"properties": {"a": {"not": {}}, "b": {"format": "zip"}}})
    assert str(asked.refusal(reason, alone=lambda _: None)) == message


def test_a_reason_without_a_place_gets_that_of_the_innermost_schema_refused_alone():
    asked = schema({"properties": {"a": {"items": {"minItems": 5, "maxItems": 3}}, "b": {}}})
    inner = "Unsatisfiable schema: minItems (5) is greater"
    refusal = asked.refusal("Unsatisfiable schema: `a`", alone=lambda part: inner if "minItems" in part else None)
    assert str(refusal) == f"`$.properties.a.items` can't be enforced: {inner}"


def test_names_of_properties_are_no_keywords():
    schema({"properties": {"dependencies": {"type": "string"}, "x-guidance": {}}, "const": {"extends": 1}})


@pytest.mark.parametrize(("value", "simpler"), [({"uniqueItems": False}, {}), ({"maxItems": 2.0}, {"maxItems": 2})])
def test_what_can_be_said_more_simply_is(value, simpler):
    assert schema({"items": value}).text == json.dumps({"items": simpler}, separators=(",", ":"))


@pytest.mark.parametrize("text", ["[]", "true", "{", "[" * 100_000, '{"a":' * 100_000])
def test_what_is_no_schema_is_refused(text):
    with pytest.raises(SchemaUnsupported):
        JsonSchema(text)


def chained(step, count):
    parts = {f"d{i}": step({"$ref": f"#/$defs/d{i + 1}"}) for i in range(count)}
    return {"$ref": "#/$defs/d0", "$defs": {**parts, f"d{count}": {}}}


@pytest.mark.parametrize(
    ("step", "count"),
    [
        (lambda next_one: {"properties": {"n": next_one}}, 3000),
        (lambda next_one: {"anyOf": [{}, next_one]}, 600),
        (lambda next_one: {"items": {"anyOf": [{}, {"properties": {"x": next_one}}]}}, 1500),
    ],
)
def test_references_that_lead_too_far_are_refused(step, count):
    with pytest.raises(SchemaUnsupported, match="references"):
        schema(chained(step, count))


def test_a_schema_too_long_is_refused_by_its_length():
    with pytest.raises(SchemaUnsupported, match="expected at most"):
        schema({"enum": ["x" * (1 << 20)]})


def test_a_schema_of_too_many_parts_is_refused_by_their_number():
    with pytest.raises(SchemaUnsupported, match="20002 objects; expected at most 10000"):
        schema({"properties": {f"p{i}": {"type": "null"} for i in range(20_000)}})


def test_a_valid_answer_has_no_violation_and_any_other_says_what_it_is():
    asked = schema({"type": "object", "required": ["a"]})
    assert asked.violation(b'{"a":1}') is None
    assert "required" in asked.violation(b"{}")
    assert "no JSON" in asked.violation(b'{"a":')


def test_an_answer_is_checked_where_references_go_by_other_names_too():
    asked = schema(
        {"$id": "urn:x", "$defs": {"n": {"$anchor": "n", "type": "null"}}, "properties": {"a": {"$ref": "#n"}}}
    )
    assert asked.violation(b'{"a":null}') is None
    assert "null" in asked.violation(b'{"a":1}')


@pytest.mark.parametrize(
    "asked",
    [
        {"allOf": [{"exclusiveMinimum": 1}, {"maximum": 1.5}]},
        {"$ref": "#/x", "x": {"exclusiveMinimum": 1, "maximum": 1.5}},
        {"properties": {"exclusiveMinimum": {"exclusiveMinimum": 1}, "const": {"maximum": 1.5}}},
    ],
)
def test_an_excluded_integer_that_may_meet_another_bound_is_written_as_the_next_number(asked):
    assert '"minimum":1.0000000000000002' in schema(asked).text
    assert '"exclusiveMinimum":1}' not in schema(asked).text


def test_numbers_in_constants_are_no_bounds():
    asked = {"enum": [{"exclusiveMinimum": 1}], "default": {"maximum": 1.5}}
    assert json.loads(schema(asked).text) == asked


def test_of_a_schema_that_need_not_be_kept_what_does_harm_is_left_out():
    bounds = {"type": "integer", "minimum": -(1 << 64), "maximum": -(1 << 63)}
    asked = {"properties": {"a": bounds, "minimum": {"const": 1}}}
    kept = {"type": "integer", "minimum": -9_223_372_036 * 10**9}
    assert without_harm(asked) == {"properties": {"a": kept, "minimum": {"const": 1}}}
    assert "minimum" in bounds
    assert without_harm(json.loads('{"items":' * 900 + "{}" + "}" * 900)) is None
    assert without_harm(chained(lambda next_one: {"properties": {"n": next_one}}, 5000)) is None
