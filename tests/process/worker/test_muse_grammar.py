"""The grammar of Muse Glimmer's answers, with a real vocabulary whose control tokens stand for its marks, and with marks that are text."""

import json

import pytest

from engine.chat.answers.messages_grammar import MessagesGrammar
from engine.chat.answers.reasoning import Thinking, reasoning_format
from engine.chat.tool_formats.form import CallableTool, FormCannotHold
from engine.chat.tool_formats.muse import MuseFormat
from tests.process.worker.spelled import TOOLS, TRIP, messages_acceptor
from tests.unit.engine.chat.answers.test_muse import NEXT, SAID, THOUGHT, call
from tests.unit.engine.chat.answers.test_muse import read as read_answer

FORM = MuseFormat()
MARKS = reasoning_format("<|eom|> <atem:function_calls>")
CLOSED, OPENED = Thinking(MARKS), Thinking(MARKS, MARKS.opening)
VALUES = {"city": 'São "Paulo" {</x>}\n', "class": "first", "days": 3, "stops": [{"at": "Pisa"}]}
CALL = call("trip", city="Rome", days=3)
ANY = call("any")


@pytest.fixture(params=["tokens", "text"])
def accepts(request, shared_worker):
    """Whether an answer may be exactly this text."""
    return messages_acceptor(shared_worker.model, FORM, FORM.marks if request.param == "tokens" else ())


def tools(**rules):
    rules = {"is_required": False, "in_parallel": True, "thinking": CLOSED, **rules}
    return lambda grammar: grammar.tools(FORM, TOOLS, **rules)


@pytest.mark.parametrize("before", ["", THOUGHT + NEXT, SAID + NEXT, (THOUGHT + NEXT) * 2 + SAID + NEXT])
@pytest.mark.parametrize(
    ("function", "values"), [("trip", VALUES), ("trip", {"city": "", "days": 1}), ("any", {}), ("any", {"x": "y z"})]
)
def test_what_is_accepted_is_read_as_just_those_calls(accepts, before, function, values):
    shown = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
    text = before + call(function, **shown)
    assert accepts(text, tools())
    assert accepts(text, tools(is_required=True))
    assert accepts(f"{text}{NEXT}{ANY}", tools())
    assert not accepts(f"{text}{NEXT}{ANY}", tools(in_parallel=False))
    [*_, (name, arguments), _] = read_answer(f"{text}{NEXT}{ANY}", is_certain=True, schemas={"trip": TRIP, "any": {}})
    assert (name, json.loads(arguments)) == (function, values)


def test_an_answer_without_calls_is_for_the_user(accepts):
    assert accepts(SAID, tools())
    assert accepts(THOUGHT + NEXT + SAID, tools())
    assert not accepts(SAID, tools(is_required=True))
    assert not accepts("Hello", tools())


@pytest.mark.parametrize(
    "text",
    [
        CALL.replace("trip", "trap"),
        CALL.replace("to=trip", "to=any"),
        CALL.replace("3", "many"),
        CALL.removesuffix("</atem:function_calls>"),
        f"{CALL} x",
        " to=trip<|message|>Rome",
        THOUGHT,
    ],
)
def test_a_call_once_begun_is_one_of_the_tools_whole(accepts, text):
    assert not accepts(text, tools())


def test_a_thought_that_the_prompt_opened_is_ended_first(accepts):
    assert accepts(f"so{NEXT}{CALL}", tools(thinking=OPENED))
    assert not accepts(CALL, tools(thinking=OPENED, is_required=True))


def test_json_and_other_forms_are_for_the_user(accepts):
    schema, header = {"type": "object", "properties": {"a": {"const": 1}}}, " to=user<|message|>"
    for wanted in (tools(answer_schema=schema), lambda grammar: grammar.json(json.dumps(schema), CLOSED)):
        assert accepts(f'{THOUGHT}{NEXT}{header}{{"a":1}}', wanted)
        assert not accepts(f'{header}{{"a":2}}', wanted)
        assert not accepts(f'{SAID}{NEXT}{header}{{"a":1}}', wanted)
    assert accepts(CALL, tools(answer_schema=schema))
    assert accepts(f"{header}yes", lambda grammar: grammar.choice(["yes", "no"], CLOSED))


@pytest.mark.parametrize("name", ["self", "user"])
def test_a_function_whose_messages_would_be_no_calls_is_refused(name):
    tool = CallableTool(name, {"type": "object"}, is_strict=False)
    with pytest.raises(FormCannotHold, match=name):
        MessagesGrammar({}, FORM).tools(FORM, (tool,), is_required=True, in_parallel=True)


def test_a_text_of_a_grammar_has_no_place_in_a_call():
    tool = CallableTool("note", {"type": "object"}, is_strict=True, input_grammar='start: "a"')
    with pytest.raises(FormCannotHold, match="note"):
        MessagesGrammar({}, FORM).tools(FORM, (tool,), is_required=True, in_parallel=True)
