"""The grammar of LFM2's calls, which are Python's, with a real vocabulary whose control tokens stand for its marks, and with plain text."""

import json

import pytest

from engine.chat.answers.answer_grammar import AnswerGrammar
from engine.chat.tool_formats.form import CallableTool, FormCannotHold
from engine.chat.tool_formats.lfm2 import Lfm2Format
from tests.process.worker.spelled import TOOLS, acceptor
from tests.unit.engine.chat.reading import read

FORM = Lfm2Format()


def call(name, **values):
    return f"{name}({', '.join(f'{key}={json.dumps(value)}' for key, value in values.items())})"


def answer(*calls):
    return f"<|tool_call_start|>[{', '.join(calls)}]<|tool_call_end|>"


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
        ("trip", {"city": 'a "b")]\n', "class": "first", "days": 12, "code": "AB", "by": None}),
        ("trip", {"city": "", "class": 3, "days": 1, "stops": [{"at": "Pisa", "next": {"at": "x"}}, {}], "by": "Ann"}),
        ("any", {}),
        ("any", {"a": "b", "c_d": [1, -2.5, {"e": True}, []]}),
    ],
)
def test_calls_that_fit_their_schema_are_accepted_and_read_as_such(accepts, name, values):
    text = answer(call(name, **values))
    assert accepts(text)
    assert accepts(f"Well. {answer(call(name, **values), call('any'))}")
    assert accepts(text, is_required=True, in_parallel=False)
    assert not accepts(answer(call("any"), call("any")), in_parallel=False)
    assert read(text, FORM, is_certain=True) == [(name, values)]


def test_constants_may_be_spelled_as_python_does(accepts):
    assert accepts(answer('trip(city="Rome", days=1, by=None)'))
    assert accepts(answer("any(a=True, b=None)"))


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"city": "Rome"},
        {"city": "Rome", "days": 0},
        {"city": 5, "days": 3},
        {"city": "Rome", "class": "third", "days": 3},
        {"city": "Rome", "days": 3, "code": "abc"},
        {"city": "Rome", "days": 3, "zoo": 1},
    ],
)
def test_calls_that_do_not_fit_are_not_accepted(accepts, values):
    assert not accepts(answer(call("trip", **values)))


def test_what_cannot_be_held_is_refused_by_name_if_it_is_strict():
    schema = {"type": "object", "properties": {"a": {}}, "minProperties": 1}
    with pytest.raises(FormCannotHold, match="minProperties"):
        AnswerGrammar({}).tools(FORM, [CallableTool("f", schema, is_strict=True)], is_required=True, in_parallel=False)
