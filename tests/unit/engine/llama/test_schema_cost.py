"""What a schema can cost is told beforehand, by whatever names it refers to its parts."""

import pytest

from engine.llama.schema_cost import check_cost, depth_of, levels


def is_cheap_to_check(schema, depth=3):
    return check_cost(schema).is_bearable(depth)


def forking(count, reference, **marks):
    """Schemas that each refer twice to the next, as `reference(number)`."""
    parts = {
        f"d{i}": {"allOf": [{"$ref": reference(i + 1)}] * 2, **{name: mark(i) for name, mark in marks.items()}}
        for i in range(count)
    }
    last = {"type": "integer", **{name: mark(count) for name, mark in marks.items()}}
    return {"$id": "http://root/", "$ref": reference(0), "$defs": {**parts, f"d{count}": last}}


@pytest.mark.parametrize(
    ("reference", "marks"),
    [
        (lambda i: f"#/$defs/d{i}", {}),
        (lambda i: f"#/%24defs/d{i}", {}),
        (lambda i: f"#a{i}", {"$anchor": lambda i: f"a{i}"}),
        (lambda i: f"http://root/{i}", {"$id": lambda i: f"http://root/{i}"}),
        (lambda i: f"http://root/#/$defs/d{i}", {}),
    ],
)
def test_references_that_fork_are_dear_to_check_whatever_they_are_called(reference, marks):
    assert not is_cheap_to_check(forking(40, reference, **marks))


@pytest.mark.parametrize(
    "schema",
    [
        {"$defs": {"n": {"$anchor": "node", "properties": {"next": {"$ref": "#node"}}}}, "$ref": "#node"},
        {"$id": "http://root/a", "$defs": {"n": {"$id": "b", "items": {"$ref": "a"}}}, "$ref": "http://root/b"},
        {"$defs": {"n": {"$id": "urn:n", "$defs": {"m": {}}, "items": {"$ref": "#/$defs/m"}}}, "$ref": "urn:n"},
        {"$defs": {"n": {"$id": "urn:n", "$anchor": "x"}}, "$ref": "urn:n#x"},
        {"$id": "urn:root", "$defs": {"n": {"$id": "#n"}}, "$ref": "#n", "$schema": "http://json-schema.org/draft-07/schema#"},
        {"id": "urn:root", "definitions": {"n": {}}, "$ref": "#/definitions/n", "$schema": "http://json-schema.org/draft-04/schema#"},
        {"properties": {"id": {"const": {"id": "x"}}}},
    ],
)  # fmt: skip
def test_what_anchors_and_ids_name_is_found_and_cheap_to_check(schema):
    assert is_cheap_to_check(schema)


@pytest.mark.parametrize("reference", ["#nobody", "#/$defs/nobody", "urn:nobody", "http://[", "#/%zz"])
def test_what_leads_nowhere_is_dear_to_check(reference):
    assert not is_cheap_to_check({"$ref": reference})


def test_references_to_elements_of_lists_are_followed():
    assert is_cheap_to_check({"allOf": [{"type": "integer"}, {"$ref": "#/allOf/0"}]})
    steps = [{"allOf": [{"$ref": f"#/x/{i + 1}"}] * 2} for i in range(40)]
    assert not is_cheap_to_check({"x": [*steps, {}], "$ref": "#/x/0"})


def test_an_ordinary_recursive_schema_is_cheap_to_check():
    node = {"properties": {"next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}}
    assert is_cheap_to_check({"$id": "http://root/", "$defs": {"node": node}, "$ref": "#/$defs/node"})


def test_forks_below_the_root_count_too():
    inner = forking(40, lambda i: f"#/$defs/d{i}")
    assert not is_cheap_to_check({"$defs": inner["$defs"], "properties": {"v": {"$ref": "#/$defs/d0"}}})


def test_forks_that_meet_again_deeper_cost_more_the_deeper_a_document_is():
    node = {"allOf": [{"$ref": "#/$defs/m"}, {"$ref": "#/$defs/m"}]}
    schema = {"$ref": "#/$defs/n", "$defs": {"n": node, "m": {"properties": {"n": {"$ref": "#/$defs/n"}}}}}
    assert is_cheap_to_check(schema, depth=5)
    assert not is_cheap_to_check(schema, depth=40)
    assert depth_of({"n": [{"n": 1}, 2]}) == 3


def test_levels_count_references_times_the_deepest_part():
    chain = {f"d{i}": {"items": {"$ref": f"#/$defs/d{i + 1}"}} for i in range(100)}
    assert levels({"type": "integer"}) == 1
    assert levels({"$ref": "#/$defs/d0", "$defs": chain}) >= 200
