"""Every keyword of JSON Schema 2020-12 that restricts values: the demo model's answers are valid under it, or it is refused by its path."""

import json

import jsonschema
import pytest
from jsonschema_specifications import REGISTRY

from engine.errors import EngineError
from engine.events import Failed
from engine.llama.constraint import ConstraintCompiler
from engine.request import JsonConstraint, SamplingParams
from tests.process.worker.inprocess import InProcess, request

BOUNDED = {"type": "string", "maxLength": 8}
KEPT = {
    "type": {"type": "boolean"},
    "type, several": {"type": ["null", "boolean"]},
    "enum": {"enum": [1, "two", None, {"three": [4]}]},
    "const": {"const": {"a": [1, 2]}},
    "minLength, maxLength": {"type": "string", "minLength": 3, "maxLength": 5},
    "pattern": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$"},
    "format date": {"type": "string", "format": "date"},
    "format time": {"type": "string", "format": "time"},
    "format uuid": {"type": "string", "format": "uuid"},
    "format ipv4": {"type": "string", "format": "ipv4"},
    "minimum, maximum": {"type": "integer", "minimum": -3, "maximum": 12},
    "exclusiveMinimum, exclusiveMaximum": {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 3},
    "exclusiveMinimum, another bound near it": {"type": "number", "exclusiveMinimum": 1, "maximum": 1.5},
    "exclusiveMaximum, another bound near it elsewhere": {
        "$defs": {"near": {"type": "number", "minimum": -0.25}},
        "allOf": [{"$ref": "#/$defs/near"}, {"exclusiveMaximum": 0}],
    },
    "minimum, beyond 64 bits": {"type": "integer", "minimum": -(1 << 63), "maximum": 5},
    "minimum, maximum, of any number": {"type": "number", "minimum": -1e30, "maximum": 1e30},
    "multipleOf": {"type": "integer", "multipleOf": 7, "minimum": 0, "maximum": 700},
    "items, minItems, maxItems": {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 4},
    "items: false": {"type": "array", "prefixItems": [{"type": "null"}], "items": False},
    "prefixItems": {"type": "array", "prefixItems": [{"const": 1}, BOUNDED], "items": {"type": "null"}, "maxItems": 3},
    "properties, required": {
        "type": "object",
        "properties": {"a": BOUNDED, "b": {"type": "boolean"}},
        "required": ["b"],
        "additionalProperties": False,
    },
    "additionalProperties": {"type": "object", "additionalProperties": {"type": "boolean"}, "maxProperties": 2},
    "patternProperties": {
        "type": "object",
        "patternProperties": {"^x[0-9]$": {"type": "boolean"}},
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 2,
    },
    "minProperties": {
        "type": "object",
        "properties": {"a": {"type": "null"}},
        "required": ["a"],
        "additionalProperties": {"type": "boolean"},
        "minProperties": 2,
        "maxProperties": 2,
    },
    "allOf": {"allOf": [{"type": "integer", "minimum": 3}, {"maximum": 5}]},
    "anyOf": {"anyOf": [{"type": "boolean"}, {"const": "neither"}]},
    "oneOf": {"oneOf": [{"type": "boolean"}, {"type": "null"}]},
    "$ref, $defs": {
        "$defs": {"flag": {"type": "boolean"}},
        "type": "array",
        "items": {"$ref": "#/$defs/flag"},
        "maxItems": 2,
    },
    "$ref, escaped": {"$defs": {"a/b c": {"type": "null"}}, "$ref": "#/$defs/a~1b%20c"},
    "$anchor": {"$defs": {"flag": {"$anchor": "here", "type": "boolean"}}, "$ref": "#here"},
    "$id": {"$id": "https://example.com/root", "$defs": {"x": {"$id": "item", "type": "null"}}, "$ref": "item"},
    "$ref, recursive": {
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "v": {"type": "boolean"},
                    "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                },
                "required": ["v"],
                "additionalProperties": False,
            }
        },
        "$ref": "#/$defs/node",
    },
    "annotations": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "t",
        "description": "d",
        "default": 1,
        "examples": [1],
        "deprecated": True,
        "readOnly": True,
        "writeOnly": False,
        "$comment": "c",
        "contentEncoding": "base64",
        "contentMediaType": "text/plain",
        "type": "boolean",
    },
    "patternProperties, that list names": {
        "type": "object",
        "patternProperties": {"^a$": BOUNDED, "^(b|c)$": {"type": "null"}},
        "required": ["a"],
        "additionalProperties": False,
    },
    "uniqueItems: false": {"type": "array", "uniqueItems": False, "items": {"type": "null"}, "maxItems": 2},
}
REFUSED = {
    "not": {"type": "string"},
    "if": {"type": "string"},
    "uniqueItems": True,
    "contains": {"type": "string"},
    "propertyNames": {"pattern": "^a"},
    "dependentRequired": {"a": ["b"]},
    "dependentSchemas": {"a": {"type": "object"}},
    "unevaluatedProperties": False,
    "unevaluatedItems": False,
    "$dynamicAnchor": "here",
    "oneOf": [{"type": "integer"}, {"type": "number"}],
    "format": "regex",
    "pattern": "a(?=b)",
    "minProperties": 2,
}


def test_the_tables_name_every_keyword_that_restricts_values():
    vocabularies = ("applicator", "validation", "unevaluated", "format-annotation")
    uris = (f"https://json-schema.org/draft/2020-12/meta/{vocabulary}" for vocabulary in vocabularies)
    names = {name for uri in uris for name in REGISTRY.contents(uri)["properties"]}
    without_effect_alone = {"then", "else", "minContains", "maxContains"}
    tabled = set(REFUSED) | {key for schema in KEPT.values() for key in schema}
    assert names - without_effect_alone - tabled == set()


@pytest.mark.parametrize("name", KEPT)
def test_answers_are_valid(model: InProcess, name):
    schema = KEPT[name]
    constraint = JsonConstraint(schema=json.dumps(schema))
    seeds = (SamplingParams(temperature=1.5, seed=seed) for seed in (1, 2, 3))
    answers = model.run(*(request("a", constraint=constraint, max_tokens=300, sampling=s) for s in seeds))
    finished = [answer for answer in answers if answer.finish_reasons == ["stop"]]
    assert finished
    for answer in finished:
        jsonschema.Draft202012Validator(schema).validate(json.loads(answer.text))


@pytest.mark.parametrize(
    ("schema", "outside", "inside"),
    [
        ({"allOf": [{"exclusiveMinimum": 1}, {"maximum": 1.5}]}, "1", "1.25"),
        ({"exclusiveMaximum": -2, "anyOf": [{"minimum": -2.5}, {"minimum": -2.25}]}, "-2", "-2.25"),
        ({"$ref": "#/$defs/a", "exclusiveMinimum": 0, "$defs": {"a": {"maximum": 0.5}}}, "0", "0.25"),
        ({"type": "integer", "minimum": -(1 << 63)}, "-9223372036854775809", "-9223372035000000000"),
        ({"type": "number", "maximum": (1 << 63) - 1}, "9223372036854775808", "922337203685477.5"),
    ],
)
def test_numbers_outside_of_bounds_are_not_written_wherever_these_meet(shared_worker, schema, outside, inside):
    constraint = ConstraintCompiler(shared_worker.model).json(json.dumps({"type": "number", **schema}))
    written, kept = (
        shared_worker.model.tokenize(text, add_special=False, parse_special=False) for text in (outside, inside)
    )
    assert not constraint.takes(written)
    assert constraint.takes(kept)


def test_a_bracket_within_a_set_is_a_character_as_in_other_patterns_of_json_schema(shared_worker):
    schema = {"type": "string", "pattern": "^[[:alpha:]]$"}
    constraint = ConstraintCompiler(shared_worker.model).json(json.dumps(schema))
    written = [shared_worker.model.tokenize(text, add_special=False, parse_special=False) for text in ('":]"', '"e"')]
    assert [constraint.takes(tokens) for tokens in written] == [True, False]


def test_where_nothing_may_follow_the_refusal_names_the_schema_and_how_far_it_came(model: InProcess):
    schema = {
        "type": "object",
        "patternProperties": {"^[a]$": {"const": 1}},
        "required": ["a"],
        "additionalProperties": False,
    }
    constraint = JsonConstraint(schema=json.dumps({**schema, "minProperties": 2}))
    [answer] = model.run(request("a", constraint=constraint, max_tokens=40))
    [failed] = [event for event in answer.events if isinstance(event, Failed)]
    assert (failed.code, failed.param) == ("unsupported_schema", "schema")
    assert "where nothing may follow" in failed.message
    assert "tokens of the answer" in failed.message


@pytest.mark.parametrize("keyword", REFUSED)
def test_what_cannot_be_kept_is_refused_by_its_path(model: InProcess, keyword):
    schema = {"type": "object", "properties": {"a": {keyword: REFUSED[keyword]}}, "required": ["a"]}
    with pytest.raises(EngineError) as caught:
        model.run(request("a", constraint=JsonConstraint(schema=json.dumps(schema))))
    assert caught.value.code == "unsupported_schema"
    assert f"`$.properties.a.{keyword}`" in caught.value.message


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "enum": []},
        {"type": "integer", "minimum": 5, "maximum": 3},
        {"type": "string", "minLength": 5, "maxLength": 3},
        {"type": "object", "required": ["b"], "additionalProperties": False},
        {"type": "integer", "enum": ["a"]},
        {"type": "number", "minimum": 1e300, "maximum": 1e301},
    ],
)
def test_what_no_document_can_meet_is_refused_with_its_place(model: InProcess, schema):
    whole = {
        "type": "object",
        "properties": {"a": {"type": "array", "items": schema, "minItems": 1}},
        "required": ["a"],
    }
    with pytest.raises(EngineError, match=r"`\$\.properties\.a") as caught:
        model.run(request("a", constraint=JsonConstraint(schema=json.dumps(whole))))
    assert caught.value.code == "unsupported_schema"
