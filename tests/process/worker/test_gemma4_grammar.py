"""The grammar of Gemma 4's calls, with a real vocabulary whose control tokens stand for its marks, and with marks that are plain text."""

import json

import pytest

from engine.chat.answers.answer_grammar import AnswerGrammar
from engine.chat.tool_formats.form import CallableTool, FormCannotHold
from engine.chat.tool_formats.gemma4 import Gemma4Format
from tests.process.worker.spelled import TOOLS, acceptor
from tests.unit.engine.chat.reading import read

FORM = Gemma4Format()


def shown(value, is_key=False):
    """As the family's template writes it: keys in alphabetical order."""
    if isinstance(value, str):
        return value if is_key else f'<|"|>{value}<|"|>'
    if isinstance(value, dict):
        return "{" + ",".join(f"{shown(key, True)}:{shown(item)}" for key, item in sorted(value.items())) + "}"
    return "[" + ",".join(map(shown, value)) + "]" if isinstance(value, list) else json.dumps(value)


def call(name, **values):
    return f"<|tool_call>call:{name}{shown(values)}<tool_call|>"


@pytest.fixture(params=["tokens", "text"])
def accepts(request, shared_worker):
    """Whether an answer may be exactly this text."""
    return acceptor(
        shared_worker.model, FORM, TOOLS, (*FORM.openings, *FORM.marks) if request.param == "tokens" else ()
    )


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("trip", {"city": "Rome", "days": 3}),
        ("trip", {"by": None, "city": 'a "b"{,\n}', "class": "first", "code": "AB", "days": 12}),
        ("trip", {"by": "Ann", "city": "", "class": 3, "days": 1, "stops": [{"at": "Pisa", "next": {"at": "x"}}, {}]}),
        ("trip", {"city": "Rome", "days": 3, "stops": []}),
        ("any", {}),
        ("any", {"a": "b", "c_d": [1, -2.5, {"e": True}, []]}),
    ],
)
def test_calls_that_fit_their_schema_are_accepted_and_read_as_such(accepts, name, values):
    text = call(name, **values)
    assert accepts(text)
    assert accepts(f"Well. {text}{call('any')}")
    assert accepts(text, is_required=True, in_parallel=False)
    assert read(text, FORM, is_certain=True) == [(name, values)]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"city": "Rome"},
        {"city": "Rome", "days": 0},
        {"city": "Rome", "days": "3"},
        {"city": 5, "days": 3},
        {"city": "Rome", "class": "third", "days": 3},
        {"city": "Rome", "code": "abc", "days": 3},
        {"city": "Rome", "days": 3, "stops": ["Pisa"]},
        {"city": "Rome", "days": 3, "zoo": 1},
    ],
)
def test_calls_that_do_not_fit_are_not_accepted(accepts, values):
    assert not accepts(call("trip", **values))


def test_what_cannot_be_held_is_refused_by_name_if_it_is_strict():
    schema = {"type": "object", "properties": {"a": {"type": "array", "minItems": 2}}}
    with pytest.raises(FormCannotHold, match="minItems"):
        AnswerGrammar({}).tools(FORM, [CallableTool("f", schema, is_strict=True)], is_required=True, in_parallel=False)
    AnswerGrammar({}).tools(FORM, [CallableTool("f", schema, is_strict=False)], is_required=True, in_parallel=False)
