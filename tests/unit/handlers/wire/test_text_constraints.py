"""An answer is held to one thing: a JSON format, a grammar, a regular expression or a choice."""

import pytest

from engine import ChoiceConstraint, GrammarConstraint, JsonConstraint, RegexConstraint
from handlers.wire.refusal import InvalidParameter
from handlers.wire.text_constraints import check_beside_tools, parse_constraint

FORM = JsonConstraint(schema="{}")


@pytest.mark.parametrize(
    ("body", "constraint"),
    [
        ({}, None),
        ({"grammar": None, "regex": None, "choice": None}, None),
        ({"grammar": "root ::= x"}, GrammarConstraint(grammar="root ::= x")),
        ({"regex": "a+"}, RegexConstraint(regex="a+")),
        ({"choice": ["a", "b"]}, ChoiceConstraint(choices=("a", "b"))),
    ],
)
def test_each_field_asks_for_its_constraint(body, constraint):
    assert parse_constraint(body) == constraint


def test_a_json_format_stands_where_nothing_else_is_asked_for():
    assert parse_constraint({"regex": None}, FORM, "format") is FORM


@pytest.mark.parametrize(
    ("body", "form", "first", "second"),
    [
        ({"grammar": "g", "regex": "r"}, None, "grammar", "regex"),
        ({"regex": "r", "choice": ["c"]}, None, "regex", "choice"),
        ({"choice": ["c"]}, FORM, "response_format", "choice"),
    ],
)
def test_two_of_them_are_refused_with_both_names(body, form, first, second):
    with pytest.raises(InvalidParameter, match=f"{second}: contradicts {first}") as refusal:
        parse_constraint(body, form, "response_format")
    assert refusal.value.param == second


def test_beside_tools_only_json_can_be_asked_for():
    check_beside_tools(None, "tools")
    check_beside_tools(FORM, "tools")
    with pytest.raises(InvalidParameter, match="tools"):
        check_beside_tools(RegexConstraint(regex="a"), "tools")
