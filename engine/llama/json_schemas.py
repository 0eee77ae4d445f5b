"""Owns what a JSON Schema must be like to be kept whole, and the check of a finished answer against it.

llguidance refuses most of what it can't enforce, but not where in the schema that stands, and a few things it lets pass. Must not know
tokens, nor where a schema comes from.
"""

import copy
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema_rs
import msgspec

from engine.llama.schema_cost import check_cost, depth_of, levels, objects, remainders
from engine.llama.schema_numbers import BOUNDS, confused_numbers, keep_bounds
from engine.llama.schema_patterns import names_matched, rust_spelling

JsonObject = dict[str, Any]

_MOST_CHARACTERS = 1 << 20
_MOST_REASON_CHARACTERS = 300
_MOST_REMAINDERS = 200_000
"""Most states for `multipleOf`. llguidance's limits don't count them, though they take 300 bytes each and more time the more they are."""

_MOST_OBJECTS = 10_000
"""Making a validator of 65,000 schemas held all other threads up for a second."""
MOST_LEVELS = 8_000
"""llguidance calls itself for each level of a schema, through references too; a call takes up to 5 KB of the thread's stack."""

_PLACELESS = (
    "Unsatisfiable schema",
    "Failed to generate regex",
    "Expected positive integer",
    "regex parse error",
    "lookarounds",
)
"""Beginnings of reasons that name no place, or the keyword alone."""
_TRIALS_SECONDS = 0.5
"""How long the place may be looked for, by trying each schema within the schema alone."""

_SCHEMA = {
    *("additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not"),
    *("propertyNames", "then", "unevaluatedItems", "unevaluatedProperties"),
}
_SCHEMAS = ("allOf", "anyOf", "items", "oneOf", "prefixItems")
_NAMED_SCHEMAS = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")
"""Keywords under which schemas stand: one, a list of them, or one for each name."""

_DATA = ("const", "default", "enum", "examples")
"""Keywords under which no schemas stand, whatever it looks like."""

_OF_OTHER_DRAFTS = ("dependencies", "divisibleBy", "disallow", "extends")
_SIZES = ("maxItems", "maxLength", "maxProperties", "minItems", "minLength", "minProperties")
_TELLING = ("$ref", "format", "pattern")
"""Keywords whose value llguidance repeats where it can't keep them."""

_PLAIN_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*")
_UNIMPLEMENTED = re.compile(r'Unimplemented keys: \["(?P<key>[^"]+)"')


class SchemaUnsupported(ValueError):
    """The schema or grammar can't be enforced whole; the message names what is in the way, and where."""


class JsonSchema:
    """A valid JSON Schema without anything that would be ignored."""

    def __init__(self, text: str) -> None:
        """SchemaUnsupported names what is wrong with it, or what would not be kept."""
        if len(text) > _MOST_CHARACTERS:
            raise SchemaUnsupported(f"it has {len(text)} characters; expected at most {_MOST_CHARACTERS}")
        self._schema = _decoded(text)
        _check_cost(self._schema)
        self._validator = _validator(self._schema)
        try:
            self._check_cost = check_cost(self._schema)
        except RecursionError as error:
            raise SchemaUnsupported("its references lead on too far") from error
        for path, schema in subschemas(self._schema):
            _simplify(schema)
            _check_keywords(path, schema)
            for keyword, reason in confused_numbers(schema):
                raise SchemaUnsupported(f"`{path}.{keyword}` can't be enforced: {reason}")
        for schema in objects(self._schema):  # also where a reference leads that no keyword does
            for keyword in BOUNDS & {keyword for keyword, _ in confused_numbers(schema)}:
                raise SchemaUnsupported(f"`{keyword}` can't be enforced at the end of a reference of this schema")
        _keep_bounds(self._schema)
        self.text = msgspec.json.encode(self._schema).decode()

    def refusal(self, reason: str, alone: Callable[[str], str | None]) -> SchemaUnsupported:
        """llguidance's reason for not taking it, with the place that it speaks of. `alone`: its reason for not taking another schema."""
        place = self._place(reason)
        if place is None and any(sign in reason for sign in _PLACELESS):
            place, reason = self._refused_alone(alone) or (None, reason)
        said = " ".join(reason.split())[:_MOST_REASON_CHARACTERS] or "it can't be compiled"
        return SchemaUnsupported(
            place if place and _UNIMPLEMENTED.search(reason) else f"{place}: {said}" if place else said
        )

    def _refused_alone(self, alone: Callable[[str], str | None]) -> tuple[str, str] | None:
        """The innermost schema that is not taken by itself, and why."""
        named = {keyword: self._schema[keyword] for keyword in ("$defs", "definitions") if keyword in self._schema}
        last = time.monotonic() + _TRIALS_SECONDS
        for path, schema in reversed(list(subschemas(self._schema))):
            if time.monotonic() > last:
                return None
            reason = alone(msgspec.json.encode({**named, **schema}).decode())
            if reason and any(sign in reason for sign in _PLACELESS):
                return f"`{path}` can't be enforced", reason
        return None

    def violation(self, answer: bytes) -> str | None:
        """What is wrong with a finished answer; None if it is valid, or if finding out could take for ever."""
        try:
            document = msgspec.json.decode(answer)
        except (msgspec.DecodeError, RecursionError) as error:
            return f"it is no JSON ({error})"
        if not self._check_cost.is_bearable(depth_of(document)):
            return None
        violation = next(self._validator.iter_errors(document), None)
        return None if violation is None else str(violation.message)

    def _place(self, reason: str) -> str | None:
        unimplemented = _UNIMPLEMENTED.search(reason)
        for path, schema in subschemas(self._schema):
            keyword = unimplemented["key"] if unimplemented else _told_by(reason, schema)
            if keyword in schema:
                return f"`{path}.{keyword}` can't be enforced"
        return None


def without_harm(schema: JsonObject) -> JsonObject | None:
    """As much of a schema as can be tried where not all of it need be kept; None where it costs too much to try any."""
    if levels(schema) > MOST_LEVELS or remainders(schema) > _MOST_REMAINDERS:
        return None
    try:
        whole = copy.deepcopy(schema)
    except RecursionError:
        return None
    for part in objects(whole):
        for keyword in BOUNDS & {keyword for keyword, _ in confused_numbers(part)}:
            del part[keyword]
    for _, part in subschemas(whole):
        _simplify(part)
        for keyword in {keyword for keyword, _ in confused_numbers(part)}:
            del part[keyword]
    _keep_bounds(whole)
    return whole


def _keep_bounds(schema: JsonObject) -> None:
    """Of every schema within it, those included that only a reference leads to."""
    parts = [*(part for _, part in subschemas(schema)), *objects(schema, without=_DATA)]
    keep_bounds({id(part): part for part in parts}.values())


def _told_by(reason: str, schema: JsonObject) -> str:
    """The keyword of this schema that llguidance speaks of, if it is in this one."""
    if "oneOf" in reason:
        return "oneOf"
    if "patternProperty" in reason:
        return "patternProperties"
    values = ((keyword, schema.get(keyword)) for keyword in _TELLING)
    return next((keyword for keyword, value in values if isinstance(value, str) and value in reason), "")


def subschemas(schema: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """Each schema within a schema with its path, itself first; those that are `true` or `false` not."""
    unread: list[tuple[str, Any]] = [("$", schema)]
    while unread:
        path, item = unread.pop()
        if isinstance(item, dict):
            yield path, item
            unread += reversed(list(_children(path, item)))


def _children(path: str, schema: JsonObject) -> Iterator[tuple[str, Any]]:
    for keyword, value in schema.items():
        if keyword in _NAMED_SCHEMAS and isinstance(value, dict):
            yield from ((_below(f"{path}.{keyword}", name), child) for name, child in value.items())
        elif keyword in _SCHEMAS and isinstance(value, list):
            yield from ((f"{path}.{keyword}[{index}]", child) for index, child in enumerate(value))
        elif keyword in _SCHEMA:
            yield f"{path}.{keyword}", value


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if _PLAIN_NAME.fullmatch(name) else f"{path}[{msgspec.json.encode(name).decode()}]"


def _decoded(text: str) -> JsonObject:
    try:
        schema = msgspec.json.decode(text)
    except RecursionError as error:
        raise SchemaUnsupported("it is nested too deeply") from error
    except msgspec.DecodeError as error:
        raise SchemaUnsupported(f"it is no JSON: {error}") from error
    if not isinstance(schema, dict):
        raise SchemaUnsupported("expected an object")
    return schema


def _validator(schema: JsonObject) -> Any:
    """What checks answers. Nothing is ever fetched: a schema that refers to another one would make the server ask any host for it."""
    try:
        return jsonschema_rs.validator_for(
            schema, retriever=_retrieve_nothing, pattern_options=jsonschema_rs.RegexOptions()
        )
    except jsonschema_rs.ValidationError as error:
        if not error.instance_path:
            raise SchemaUnsupported(error.message) from error
        path = "$"
        for step in error.instance_path:
            path = f"{path}[{step}]" if isinstance(step, int) else _below(path, step)
        raise SchemaUnsupported(f"`{path}` is no valid JSON Schema: {error.message}") from error
    except ValueError as error:  # so it says that its own limit of nesting is reached
        raise SchemaUnsupported(str(error)) from error


def _retrieve_nothing(uri: str) -> Any:
    raise LookupError(f"{uri} is not part of this schema")


def _check_cost(schema: JsonObject) -> None:
    count = sum(1 for _ in objects(schema))
    if count > _MOST_OBJECTS:
        raise SchemaUnsupported(f"it has {count} objects; expected at most {_MOST_OBJECTS}")
    if levels(schema) > MOST_LEVELS:
        raise SchemaUnsupported("it is nested too deeply for the number of its references")
    if remainders(schema) > _MOST_REMAINDERS:
        raise SchemaUnsupported("its values of multipleOf are too large, or have too large a common multiple")


def _simplify(schema: JsonObject) -> None:
    """Say the same in the words that llguidance knows: it refuses `uniqueItems` whatever its value, and sizes written as 2.0."""
    if schema.get("uniqueItems") is False:
        del schema["uniqueItems"]
    for keyword in _SIZES:
        size = schema.get(keyword)
        if isinstance(size, float) and size.is_integer():
            schema[keyword] = int(size)
    if isinstance(schema.get("pattern"), str):
        schema["pattern"] = rust_spelling(schema["pattern"])
    if isinstance(schema.get("patternProperties"), dict):
        _simplify_patterns(schema, schema["patternProperties"])


def _simplify_patterns(schema: JsonObject, patterns: JsonObject) -> None:
    """Patterns that list names are properties: when all are written llguidance would go on, and find no other."""
    named = schema.get("properties", {})
    listed = [(name, pattern) for pattern in patterns for name in names_matched(pattern)]
    if listed and isinstance(named, dict) and len({*named, *(name for name, _ in listed)}) == len(named) + len(listed):
        schema["properties"] = {**named, **{name: patterns[pattern] for name, pattern in listed}}
        patterns = {pattern: value for pattern, value in patterns.items() if not names_matched(pattern)}
    schema["patternProperties"] = {rust_spelling(pattern): value for pattern, value in patterns.items()}
    if not schema["patternProperties"]:
        del schema["patternProperties"]


def _check_keywords(path: str, schema: JsonObject) -> None:
    for keyword in _OF_OTHER_DRAFTS:
        if keyword in schema:
            raise SchemaUnsupported(f"`{path}.{keyword}` is no keyword of JSON Schema 2020-12, and would be ignored")
    if "x-guidance" in schema:
        raise SchemaUnsupported(f"`{path}.x-guidance` would change how other keywords are kept; leave it out")
    # Names beyond `properties` and `required` may come twice; they would count twice, and a reader of the answer sees one.
    least = schema.get("minProperties", 0)
    certain = len(set(schema.get("required", ()))) + 1
    if least > certain:
        raise SchemaUnsupported(
            f"`{path}.minProperties` can't be enforced beyond one property more than are required there: {least} > {certain}"
        )
