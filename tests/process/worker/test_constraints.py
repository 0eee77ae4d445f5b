"""Schemas from strangers: each is kept to, or refused at a price that does not depend on what it asks for."""

import json
import re
import resource
import time

import pytest

from engine.errors import EngineError
from engine.events import Failed
from engine.request import ChoiceConstraint, GrammarConstraint, JsonConstraint, RegexConstraint, SamplingParams
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


GBNF = 'root ::= greeting ", " name\ngreeting ::= "hello" | "good " ("day" | "night")\nname ::= [A-Z] [a-z]{2,4}\n'
LARK = 'start: GREETING ", " NAME\nGREETING: "hello" | "good day" | "good night"\nNAME: /[A-Z][a-z]{2,4}/\n'


def answers(model, constraint):
    asked = [
        request("a", constraint=constraint, max_tokens=100, sampling=SamplingParams(temperature=1.5, seed=seed))
        for seed in (1, 2, 3)
    ]
    return model.run(*asked)


@pytest.mark.parametrize("grammar", [GBNF, LARK])
def test_an_answer_is_a_text_of_its_grammar(model: InProcess, grammar):
    for answer in answers(model, GrammarConstraint(grammar=grammar)):
        assert re.fullmatch("(hello|good day|good night), [A-Z][a-z]{2,4}", answer.text)


@pytest.mark.parametrize("regex", ["[0-9]{3}-[a-f]+", r"\d\d/\d\d", "(yes|no)( sir)?"])
def test_an_answer_is_matched_whole_by_its_regular_expression(model: InProcess, regex):
    for answer in answers(model, RegexConstraint(regex=regex)):
        assert re.fullmatch(regex, answer.text) or answer.finish_reasons == ["length"]


def test_an_answer_is_one_of_its_choices(model: InProcess):
    choices = ('say "yes"', "no\n", "\N{GRINNING FACE} maybe", "a\\b", "c\x7f")
    assert {answer.text for answer in answers(model, ChoiceConstraint(choices=choices))} <= set(choices)


def test_thousands_of_choices_are_kept_to(model: InProcess):
    choices = tuple(f"item {number}" for number in range(4000))
    assert {answer.text for answer in answers(model, ChoiceConstraint(choices=choices))} <= set(choices)


def test_a_constraint_that_was_asked_for_before_is_not_compiled_again(model: InProcess):
    constraint = ChoiceConstraint(choices=tuple(f"entry {number}" for number in range(3000)))
    begun = time.thread_time()
    model.submit(request("a", constraint=constraint))
    first = time.thread_time() - begun
    model.submit(request("a", constraint=constraint))
    assert time.thread_time() - begun - first < first
    for request_id in (model._next_id - 1, model._next_id):
        model.generator.cancel(request_id)


def nested(depth):
    return '{"items":' * depth + "{}" + "}" * depth


HOSTILE = {
    "depth": JsonConstraint(schema=nested(100_000)),
    "depth that JSON can hold": JsonConstraint(schema=nested(900)),
    "references without end": JsonConstraint(
        schema='{"$ref":"#/$defs/a","$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},"b":{"allOf":[{"$ref":"#/$defs/a"}]}}}'
    ),
    "references to references": JsonConstraint(
        schema=json.dumps(
            {
                "$ref": "#/$defs/d0",
                "$defs": {f"d{i}": {"properties": {"n": {"$ref": f"#/$defs/d{i + 1}"}}} for i in range(5000)}
                | {"d5000": {}},
            }
        )
    ),
    "bounds where integers end": JsonConstraint(
        schema=json.dumps({"type": "integer", "minimum": -(2**63) - 5, "maximum": -(2**63)})
    ),
    "thousands of properties that may be missing": JsonConstraint(
        schema=json.dumps({"type": "object", "properties": {f"p{i}": {"type": "integer"} for i in range(2000)}})
    ),
    "a pattern that repeats repetitions": JsonConstraint(
        schema='{"type":"string","pattern":"^((a{1,1000}){1,1000}){1,1000}$"}'
    ),
    "a huge enum": JsonConstraint(schema=json.dumps({"enum": [f"value-{i * 7919}" for i in range(200_000)]})),
    "many properties": JsonConstraint(
        schema=json.dumps({"properties": {f"p{i}": {"minLength": 2} for i in range(20_000)}})
    ),
    "patterns that meet": JsonConstraint(
        schema=json.dumps({"allOf": [{"type": "string", "pattern": f"(a|b)*a(a|b){{{k}}}$"} for k in range(8, 16)]})
    ),
    "a regular expression too deep": RegexConstraint(regex="(" * 5000 + "a" + ")" * 5000),
    "a regular expression too long": RegexConstraint(regex="a" * 100_000),
    "one that is none": RegexConstraint(regex="("),
    "one that looks around": RegexConstraint(regex="a(?=b)"),
    "choices too long": ChoiceConstraint(choices=("x" * 100_000,)),
    "a grammar too deep": GrammarConstraint(grammar="start: " + "(" * 20_000 + '"a"' + ")" * 20_000),
    "GBNF too deep": GrammarConstraint(grammar="root ::= " + "(" * 20_000 + '"a"' + ")" * 20_000),
    "a grammar of nothing but itself": GrammarConstraint(grammar="start: start"),
    "a grammar that doubles": GrammarConstraint(
        grammar="start: r0\n" + "".join(f"r{i}: r{i + 1} r{i + 1}\n" for i in range(200)) + 'r200: "a"'
    ),
    "a grammar that repeats": GrammarConstraint(grammar='start: a{1000000}\na: b{1000000}\nb: "x"'),
    "a schema within a grammar": GrammarConstraint(grammar='start: %json {"x-guidance": {"lenient": true}, "not": {}}'),
    "neither GBNF nor Lark": GrammarConstraint(grammar="please answer in verse"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_meant_to_cost_much_is_refused_and_costs_little(model: InProcess, name):
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.thread_time()
    refusal = None
    try:
        (answer,) = model.run(request("a", constraint=HOSTILE[name], max_tokens=20))
        refusal = next((event for event in answer.events if isinstance(event, Failed)), None)
    except EngineError as error:
        refusal = error
    assert refusal is not None
    assert refusal.code == "unsupported_schema"
    assert "\n" not in refusal.message
    assert time.thread_time() - begun < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 300 * 1024
    model.generator.check_integrity()


@pytest.mark.parametrize(
    "constraint",
    [
        JsonConstraint(schema='{"type":"string","pattern":"^(x+x+)+y$"}'),
        JsonConstraint(
            schema=json.dumps(
                {
                    "$defs": {f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(40)}
                    | {"d40": {"items": {}}},
                    "$ref": "#/$defs/d0",
                }
            )
        ),
        JsonConstraint(
            schema=json.dumps(
                {
                    "$defs": {f"d{i}": {"$anchor": f"a{i}", "allOf": [{"$ref": f"#a{i + 1}"}] * 2} for i in range(40)}
                    | {"d40": {"$anchor": "a40", "type": "boolean"}},
                    "$ref": "#a0",
                }
            )
        ),
        JsonConstraint(
            schema=json.dumps(
                {
                    "type": "object",
                    "properties": {"v": {"$ref": "#/$defs/d0"}},
                    "required": ["v"],
                    "$defs": {f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(40)}
                    | {"d40": {"type": "boolean"}},
                }
            )
        ),
        JsonConstraint(schema='{"type":"string","minLength":1000000,"maxLength":1000000000}'),
        JsonConstraint(schema='{"items":{"items":{"minItems":1000000}},"minItems":1000000,"type":"array"}'),
        RegexConstraint(regex="(a|b)*a(a|b){25}"),
        RegexConstraint(regex="(.{1,1000}){1,1000}"),
        GrammarConstraint(grammar='start: s\ns: s s s | s s | "a" | ""'),
    ],
)
def test_what_looks_as_if_it_cost_much_but_does_not_is_kept_to(model: InProcess, constraint):
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.thread_time()
    (answer,) = model.run(request("a", constraint=constraint, max_tokens=40, sampling=sampled()))
    assert answer.finish_reasons in (["length"], ["stop"])
    assert time.thread_time() - begun < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 300 * 1024
