"""The grammar of MiniMax-M3's calls, with a real vocabulary: a control token stands for the mark, or the mark is text."""

import json

import pytest

from engine.chat.answers.answer_grammar import AnswerGrammar
from engine.chat.tool_formats.form import CallableTool, FormCannotHold
from engine.chat.tool_formats.minimax3 import MiniMax3Format
from engine.chat.tool_formats.minimax3_rules import MARK
from tests.process.worker.spelled import acceptor
from tests.unit.engine.chat.reading import read

FORM = MiniMax3Format()
TRIP = {
    "type": "object",
    "$defs": {"Stop": {"type": "object", "properties": {"at": {"type": "string"}, "next": {"$ref": "#/$defs/Stop"}}}},
    "properties": {
        "city": {"type": "string"},
        "class": {"enum": ["first", "second"]},
        "days": {"type": "integer", "minimum": 1},
        "stops": {"type": "array", "items": {"$ref": "#/$defs/Stop"}},
    },
    "required": ["city", "days"],
    "additionalProperties": False,
}
TOOLS = (CallableTool("trip", TRIP, is_strict=True),)


def element(name, value):
    if isinstance(value, dict):
        inner = "".join(element(key, item) for key, item in value.items())
    elif isinstance(value, list):
        inner = "".join(element("item", item) for item in value)
    else:
        inner = value if isinstance(value, str) else json.dumps(value)
    return f"{MARK}<{name}>{inner}{MARK}</{name}>"


def call(**values):
    elements = "".join(element(key, value) for key, value in values.items())
    return f'{MARK}<tool_call>\n{MARK}<invoke name="trip">{elements}{MARK}</invoke>\n{MARK}</tool_call>'


@pytest.fixture(params=["tokens", "text"])
def accepts(request, shared_worker):
    """Whether an answer may be exactly this text."""
    return acceptor(shared_worker.model, FORM, TOOLS, (MARK,) if request.param == "tokens" else ())


@pytest.mark.parametrize(
    "values",
    [
        {"city": "Rome", "days": 3},
        {"city": "a <b> ]<]\n", "class": "first", "days": 12, "stops": [{"at": "Pisa", "next": {"at": "x"}}, {}]},
        {"city": "", "days": 1, "stops": []},
    ],
)
def test_calls_that_fit_their_schema_are_accepted_and_read_as_such(accepts, values):
    text = call(**values)
    assert accepts(text)
    assert accepts(f"Well. {text}")
    assert accepts(text, is_required=True, in_parallel=False)
    assert read(text, FORM, is_certain=True, trip=TRIP) == [("trip", values)]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"city": "Rome"},
        {"city": "Rome", "days": 0},
        {"city": "Rome", "class": "third", "days": 3},
        {"city": "Rome", "days": 3, "zoo": 1},
    ],
)
def test_calls_that_do_not_fit_are_not_accepted(accepts, values):
    assert not accepts(call(**values))


def test_what_cannot_be_held_is_refused_by_name_if_it_is_strict():
    schema = {"type": "object", "properties": {"a": {"type": "array", "minItems": 2}}}
    with pytest.raises(FormCannotHold, match="minItems"):
        AnswerGrammar({}).tools(FORM, [CallableTool("f", schema, is_strict=True)], is_required=True, in_parallel=False)
