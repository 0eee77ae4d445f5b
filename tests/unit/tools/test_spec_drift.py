"""The comparison with a published document finds a difference of every kind, and nothing where only the spelling differs."""

import copy

import pytest
import yaml

from tools.spec_drift import drift, main

SCHEMA = yaml.safe_load("""
type: object
required: [model]
properties:
  model: {type: string}
  n: {type: integer, minimum: 1, maximum: 8, default: 1}
  effort: {type: string, enum: [low, high]}
  texts: {type: array, maxItems: 4, items: {type: string}}
  extra: {type: object, additionalProperties: {type: integer}}
  content:
    oneOf:
      - {type: string}
      - {type: array, items: {type: integer}}
      - {type: array, items: {type: string}}
  part:
    oneOf:
      - {type: object, required: [type], properties: {type: {type: string, enum: [text]}, text: {type: string}}}
      - {type: object, required: [type], properties: {type: {type: string, enum: [image]}, url: {type: string}}}
""")


def document(schema=SCHEMA, **operation):
    return {
        "paths": {
            "/things": {
                "post": {
                    "operationId": "makeThing",
                    "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
                    "responses": {"200": {"content": {"application/json": {"schema": schema}}}},
                    **operation,
                }
            }
        },
        "components": {"schemas": {}},
    }


def coverage(differences=None, **changes):
    parameters = dict.fromkeys(SCHEMA["properties"], "honoured")
    return {"makeThing": {"status": "served", "parameters": parameters, "differences": differences or {}} | changes}


def changed(path, value):
    """A copy of the schema with the node at `path` replaced, or removed where `value` is None."""
    schema = copy.deepcopy(SCHEMA)
    node = schema
    *parents, last = path.split("/")
    for key in parents:
        node = node[int(key)] if isinstance(node, list) else node[key]
    if value is None:
        del node[last]
    elif isinstance(node, list):
        node[int(last)] = value
    else:
        node[last] = value
    return schema


def request_drift(schema, published=SCHEMA):
    """The lines about the request, without those that repeat them for the response."""
    return [line for line in drift(document(published), document(schema), coverage()) if "response" not in line]


def test_the_same_document_does_not_drift():
    """Equal documents have no differences."""
    assert list(drift(document(), document(), coverage())) == []


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("properties/model/type", "integer", "request.model: type string: published present, ours absent"),
        ("properties/n/minimum", 0, "request.n: minimum: published 1, ours 0"),
        ("properties/n/maximum", None, "request.n: maximum: published 8, ours absent"),
        ("properties/n/default", 2, "request.n: default: published 1, ours 2"),
        ("properties/n/type", ["integer", "null"], "request.n: type null: published absent, ours present"),
        ("properties/effort/enum", ["low"], "request.effort: enum high: published present, ours absent"),
        ("properties/effort/enum", None, "request.effort: enum: published [high, low], ours absent"),
        ("properties/texts/items", None, "request.texts[]: values: published present, ours absent"),
        ("properties/texts/maxItems", 5, "request.texts: maxItems: published 4, ours 5"),
        ("properties/texts/items/pattern", "a+", "request.texts[]: pattern: published absent, ours 'a+'"),
        ("properties/extra/additionalProperties/minimum", 1, "request.extra.*: minimum: published absent, ours 1"),
        (
            "properties/extra/additionalProperties",
            False,
            "request.extra: additionalProperties: published allowed, ours forbidden",
        ),
        ("properties/effort", None, "request.effort: property: published present, ours absent"),
        ("required", ["model", "n"], "request: required n: published absent, ours present"),
        (
            "properties/content/oneOf/0",
            {"type": "number"},
            "request.content: type string: published present, ours absent",
        ),
        (
            "properties/content/oneOf/1/minItems",
            1,
            "request.content<array of integer>: minItems: published absent, ours 1",
        ),
        ("properties/part/oneOf/1/required", [], "request.part<image>: required type: published present, ours absent"),
    ],
)
def test_a_difference_between_schemas_is_found(path, value, said):
    """Types, enumerations, ranges, defaults, required fields, properties and branches of unions are compared."""
    assert f"makeThing: {said}" in request_drift(changed(path, value))


def test_a_property_of_ours_is_found_unless_it_is_marked():
    """Additions are legal, but say that they are additions."""
    assert request_drift(changed("properties/extra_key", {"type": "string"}))[-1].endswith(
        "published absent, ours present"
    )
    marked = {"type": "string", "x-trueline-extension": True}
    own = coverage(parameters=dict.fromkeys([*SCHEMA["properties"], "extra_key"], "honoured"))
    assert list(drift(document(), document(changed("properties/extra_key", marked)), own)) == []


def test_a_published_property_may_not_be_marked_as_ours():
    """A marker that is out of date is found."""
    lines = request_drift(changed("properties/effort", {**SCHEMA["properties"]["effort"], "x-unpublished": True}))
    assert "makeThing: request.effort: marker: published present, ours marked as ours" in lines


@pytest.mark.parametrize(
    ("ours", "published"),
    [
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": ["string", "null"]}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ({"type": ["string", "null"], "enum": ["a", None]}, {"type": "string", "enum": ["a"], "nullable": True}),
        ({"const": "a"}, {"type": "string", "enum": ["a"]}),
        ({"type": "string"}, {"anyOf": [{"type": "string"}, {"type": "string", "enum": ["a", "b"]}]}),
        ({"type": "number", "exclusiveMinimum": 0}, {"type": "number", "minimum": 0, "exclusiveMinimum": True}),
        ({"type": "integer", "default": 3}, {"anyOf": [{"type": "integer", "default": 3}]}),
        ({"type": "string"}, {"type": "string", "default": None}),
        ({"type": "integer", "minimum": 1}, {"allOf": [{"type": "integer"}, {"minimum": 1}]}),
        ({"type": "string"}, {"type": "string", "description": "Anything.", "title": "Text", "example": "a"}),
        ({"oneOf": [{"type": "string"}, {"type": "integer"}]}, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, {"properties": {"a": {"type": "string"}}}),
    ],
)
def test_spelling_is_no_difference(ours, published):
    """OpenAPI 3.0's and JSON Schema's ways to say the same thing compare equal."""
    assert request_drift(changed("properties/effort", ours), changed("properties/effort", published)) == []


def test_schemas_that_contain_themselves_are_compared():
    """`$ref` and 2019-09's `$recursiveRef` recurse alike, and the comparison ends."""
    ours, published = (
        document({"$ref": "#/components/schemas/Filter"}),
        document({"$ref": "#/components/schemas/Filter"}),
    )
    for found, inner in ((ours, {"$ref": "#/components/schemas/Filter"}), (published, {"$recursiveRef": "#"})):
        filters = {"type": "object", "properties": {"filters": {"type": "array", "items": inner}}}
        found["components"]["schemas"]["Filter"] = filters
    own = coverage(parameters={"filters": "honoured"})
    assert list(drift(published, ours, own)) == []
    ours["components"]["schemas"]["Filter"]["properties"]["filters"]["minItems"] = 1
    assert "makeThing: request.filters: minItems: published absent, ours 1" in list(drift(published, ours, own))


def test_several_declarations_of_one_property_intersect():
    """`allOf` accepts what every part accepts."""
    optional, strict = ({"properties": {"effort": {"type": kind}}} for kind in (["string", "null"], "string"))
    published = {**SCHEMA, "properties": {**SCHEMA["properties"], "effort": {"type": ["string", "null"]}}}
    lines = request_drift(published, {"allOf": [published, optional, strict]})
    assert lines == ["makeThing: request.effort: type null: published absent, ours present"]


def test_operations_are_compared_by_place_parameters_and_media_types():
    """What surrounds the schemas is compared too."""
    parameter = {"name": "id", "in": "query", "required": True, "schema": {"type": "string"}}
    ours = document(
        parameters=[{**parameter, "schema": {"type": "integer"}, "required": False}],
        requestBody={"content": {"text/plain": {"schema": {"type": "string"}}}},
        responses={"200": {"content": {}}, "404": {"content": {}}},
    )
    ours["paths"] = {"/other": ours["paths"]["/things"]}
    lines = list(drift(document(parameters=[parameter]), ours, coverage(parameters={"id": "honoured"})))
    assert {line.removeprefix("makeThing: ") for line in lines} == {
        "path: path: published post /things, ours post /other",
        "parameters.query.id: required: published True, ours False",
        "parameters.query.id: type string: published present, ours absent",
        "parameters.query.id: type integer: published absent, ours present",
        "request: required body: published True, ours False",
        "request application/json: media type: published present, ours absent",
        "request text/plain: media type: published absent, ours present",
        "response.200 application/json: media type: published present, ours absent",
        "response.404: response: published absent, ours present",
    }


@pytest.mark.parametrize("media_type", ["text/event-stream", "application/x-ndjson"])
def test_stream_events_are_compared_without_their_envelope(media_type):
    """The published file describes an event's content, ours the event."""

    def streaming(schema):
        return document(responses={"200": {"content": {media_type: {"schema": schema}}}})

    payload = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
    error = {"type": "object", "properties": {"error": {"type": "string"}}, "x-unpublished": True}
    content = {"anyOf": [{**payload, "required": []}, error]}
    envelope = {"properties": {"data": {"anyOf": [{"const": "[DONE]"}, {"type": "string", "contentSchema": content}]}}}
    ours = envelope if media_type == "text/event-stream" else {"type": "array", "items": content}
    lines = list(drift(streaming(payload), streaming(ours), coverage()))
    assert lines == ["makeThing: response.200.event: required id: published present, ours absent"]


def test_an_explained_difference_is_silent_and_a_stale_explanation_is_not():
    """Reasons cover exactly what differs."""
    ours = document(changed("properties/n/maximum", 9))
    reasons = {"request.n": {"maximum": "A reason."}}
    assert list(drift(document(), ours, coverage(reasons))) == []
    assert list(drift(document(), document(), coverage(reasons))) == [
        "makeThing: request.n: maximum: coverage explains a difference that does not exist",
    ]


def test_a_schema_reached_by_several_references_is_explained_where_it_comes_first():
    """What is said beside a reference makes no other schema of it, but a mark does."""

    def referring(maximum, **beside):
        reference = {"$ref": "#/components/schemas/N"}
        parts = {"n": {**reference, "description": "A number."}, "m": reference, "k": {**reference, **beside}}
        found = document({"type": "object", "properties": parts})
        found["components"]["schemas"]["N"] = {"type": "integer", "maximum": maximum}
        return found

    own = {"status": "served", "parameters": dict.fromkeys("nmk", "honoured")}
    lines = list(drift(referring(8), referring(9), {"makeThing": own}))
    assert lines == ["makeThing: request.n: maximum: published 8, ours 9"]
    marked = list(drift(referring(8), referring(8, **{"x-unpublished": True}), {"makeThing": own}))
    assert "makeThing: request.k: marker: published present, ours marked as ours" in marked


def test_coverage_must_speak_of_every_operation_and_parameter():
    """What coverage forgets, invents or misplaces is found."""
    published = document()
    published["paths"]["/things"]["get"] = {"operationId": "listThings", "responses": {"200": {}}}
    published["paths"]["/things"]["delete"] = {"operationId": "deleteThings", "responses": {"200": {}}}
    parameters = dict.fromkeys([key for key in SCHEMA["properties"] if key != "effort"] + ["mood"], "honoured")
    own = coverage(parameters=parameters) | {
        "deleteThings": {"status": "planned", "method": "put", "path": "/things", "reason": "Later."},
        "paintThing": {"status": "refused", "method": "post", "path": "/paint", "reason": "No."},
    }
    assert sorted(drift(published, document(), own)) == [
        "deleteThings: coverage places it at ('put', '/things'), published is delete /things",
        "listThings: published, but coverage does not mention it",
        "makeThing: coverage speaks of mood, which our document does not have",
        "makeThing: parameter effort has no status in coverage",
        "paintThing: covered, but not published",
    ]


def test_an_operation_of_ours_must_be_marked():
    """An operation that nobody published is legal where the document says so."""
    nothing = {"paths": {}, "components": {"schemas": {}}}
    assert list(drift(nothing, document(), coverage())) == ["makeThing: covered, but not published"]
    assert list(drift(nothing, document(**{"x-unpublished": True}), coverage())) == []


def test_the_command_prints_the_differences_and_fails(tmp_path, capsys):
    """Exit code 1 with one line for each difference, 0 without any."""
    (tmp_path / "upstream.yaml").write_text(yaml.safe_dump(document()))
    (tmp_path / "coverage.yaml").write_text(yaml.safe_dump({"ours": coverage()}))
    for schema, code in ((SCHEMA, 0), (changed("properties/n/minimum", 2), 1)):
        (tmp_path / "ours.yaml").write_text(yaml.safe_dump(document(schema)))
        assert main([str(tmp_path / "upstream.yaml"), str(tmp_path / "ours.yaml")]) == code
    assert "makeThing: request.n: minimum: published 1, ours 2" in capsys.readouterr().out
