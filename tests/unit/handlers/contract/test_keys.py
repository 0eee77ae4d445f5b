"""Which keys a schema knows: of unions every branch's, of free-form objects all."""

import pytest

from handlers.contract.documented import Place, Reader
from handlers.contract.keys import known_keys, unknown_paths, without_unknown
from handlers.contract.schemas import compiled

SPEC = {
    "root": {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "options": {"type": "object", "properties": {"depth": {"type": "integer"}}, "additionalProperties": True},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "anything": {},
            "schema": {"type": "object"},
            "parts": {
                "oneOf": [
                    {"type": "string"},
                    {"type": "array", "items": {"oneOf": [{"$ref": "#/text"}, {"$ref": "#/image"}]}},
                ]
            },
            "tree": {"$ref": "#/tree"},
        },
        "allOf": [{"properties": {"inherited": {"type": "boolean"}}}],
    },
    "text": {"type": "object", "properties": {"type": {"const": "text"}, "text": {"type": "string"}}},
    "image": {"type": "object", "properties": {"type": {"const": "image"}, "size": {"properties": {"width": {}}}}},
    "tree": {"type": "object", "properties": {"leaf": {}, "below": {"type": "array", "items": {"$ref": "#/tree"}}}},
}
KNOWN = known_keys(Reader("test", SPEC), Place("test", "/root"))


@pytest.mark.parametrize(
    ("value", "unknown"),
    [
        ({"name": "x", "inherited": True}, []),
        ({"mood": 1, "name": "x"}, ["mood"]),
        ({"options": {"depth": 1, "width": 2}}, ["options.width"]),
        ({"labels": {"any": "key"}, "anything": {"at": "all"}, "schema": {"type": "object"}}, []),
        ({"parts": "text"}, []),
        ({"parts": [{"type": "text", "text": "x"}, {"type": "image", "size": {"width": 1}}]}, []),
        ({"parts": [{"type": "text"}, {"type": "text", "colour": 1}]}, ["parts[1].colour"]),
        ({"parts": [{"type": "image", "size": {"depth": 1}}]}, ["parts[0].size.depth"]),
        ({"tree": {"below": [{"below": [{"fruit": 1}]}]}}, ["tree.below[0].below[0].fruit"]),
        ({"tree": "not even an object"}, []),
    ],
)
def test_what_no_branch_knows_is_named_with_its_path(value, unknown):
    assert list(unknown_paths(KNOWN, value)) == unknown


@pytest.mark.parametrize(
    ("value", "unremarkable"),
    [
        ({"name": "x", "options": {"depth": 1}, "labels": {"any": "key"}, "parts": [{"type": "text"}]}, True),
        ({"tree": {"below": [{"below": [{"leaf": 1}]}]}}, True),
        ({"mood": 1}, False),
        ({"parts": [{"type": "text"}, {"type": "text", "colour": 1}]}, False),
        ({"tree": {"below": [{"below": [{"fruit": 1}]}]}}, False),
    ],
)
def test_the_schema_of_known_keys_agrees_with_their_walk(value, unremarkable):
    assert compiled(without_unknown(KNOWN)).is_valid(value) is unremarkable
    assert (not list(unknown_paths(KNOWN, value))) is unremarkable
