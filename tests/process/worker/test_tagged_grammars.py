"""The grammars of the forms that write calls as tags, with a real vocabulary: what they accept, the reader reads as just those calls."""

import json
import re

import pytest
from llguidance import LLMatcher

from engine.chat.answers.answer_grammar import AnswerGrammar
from engine.chat.tool_formats.dsml import MARK, V32_BLOCK, dsml_format
from engine.chat.tool_formats.form import CallableTool, FormCannotHold
from engine.chat.tool_formats.glm import glm_format
from engine.chat.tool_formats.hunyuan import hunyuan_format
from engine.chat.tool_formats.kimi_k3 import kimi_k3_format
from engine.chat.tool_formats.minicpm import minicpm_format
from engine.chat.tool_formats.minimax import minimax_format
from engine.chat.tool_formats.qwen_xml import qwen_xml_format
from engine.chat.tool_formats.seed import seed_format
from engine.llama.constraint import _tokenizer
from tests.unit.engine.chat.reading import read

TRIP = {
    "type": "object",
    "$defs": {"Class": {"enum": ["first", "second"]}},
    "properties": {
        "city": {"type": "string"},
        "class": {"$ref": "#/$defs/Class"},
        "days": {"type": "integer", "minimum": 1},
        "code": {"type": "string", "pattern": "^[A-Z]{2}\\d$", "maxLength": 3},
        "stops": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["city", "days"],
    "additionalProperties": False,
}
SCHEMAS = {"trip": TRIP, "now": {"type": "object", "properties": {}}, "any": {"type": "object"}}
TOOLS = (
    CallableTool("trip", TRIP, is_strict=True),
    CallableTool("now", {"type": "object", "properties": {}, "additionalProperties": False}, is_strict=True),
    CallableTool("any", {"type": "object"}, is_strict=False),
)


def qwen(name: str, **values: object) -> str:
    parameters = "".join(f"<parameter={key}>\n{shown(value)}\n</parameter>\n" for key, value in values.items())
    return f"<tool_call>\n<function={name}>\n{parameters}</function>\n</tool_call>"


def seed(name: str, **values: object) -> str:
    parameters = "".join(f"<parameter={key}>{shown(value)}</parameter>\n" for key, value in values.items())
    return f"<seed:tool_call>\n<function={name}>\n{parameters}</function>\n</seed:tool_call>"


def glm(name: str, **values: object) -> str:
    pairs = (f"<arg_key>{key}</arg_key>\n<arg_value>{shown(value)}</arg_value>\n" for key, value in values.items())
    return f"<tool_call>{name}\n{''.join(pairs)}</tool_call>"


def glm_without_breaks(name: str, **values: object) -> str:
    pairs = (f"<arg_key>{key}</arg_key><arg_value>{shown(value)}</arg_value>" for key, value in values.items())
    return f"<tool_call>{name}{''.join(pairs)}</tool_call>"


def hunyuan(name: str, **values: object) -> str:
    end = ":opensource>"
    pairs = "".join(
        f"<arg_key{end}{key}</arg_key{end}\n<arg_value{end}{shown(value)}</arg_value{end}\n"
        for key, value in values.items()
    )
    return f"<tool_calls{end}\n<tool_call{end}{name}<tool_sep{end}\n{pairs}</tool_call{end}\n</tool_calls{end}"


def minimax(name: str, **values: object) -> str:
    parameters = "".join(f'<parameter name="{key}">{shown(value)}</parameter>\n' for key, value in values.items())
    return f'<minimax:tool_call>\n<invoke name="{name}">\n{parameters}</invoke>\n</minimax:tool_call>'


def dsml(name: str, **values: object) -> str:
    parameters = "".join(
        f'<{MARK}parameter name="{key}" string="{json.dumps(isinstance(value, str))}">{shown(value)}</{MARK}parameter>\n'
        for key, value in values.items()
    )
    block = f'<{MARK}invoke name="{name}">\n{parameters}</{MARK}invoke>'
    return f"<{MARK}function_calls>\n{block}\n</{MARK}function_calls>"


def kimi_k3(name: str, **values: object) -> str:
    types = {str: "string", int: "number", list: "array"}
    arguments = "".join(
        f'<|open|>argument key="{key}" type="{types[type(value)]}"<|sep|>{shown(value)}<|close|>argument<|sep|>'
        for key, value in values.items()
    )
    call = f'<|open|>call tool="{name}" index="1"<|sep|>{arguments}<|close|>call<|sep|>'
    return f"<|open|>tools<|sep|>{call}<|close|>tools<|sep|>"


def minicpm(name: str, **values: object) -> str:
    def value_of(value: object) -> str:
        return f"<![CDATA[{value}]]>" if isinstance(value, str) and re.search(r"[<&\n]", value) else shown(value)

    parameters = "".join(f'<param name="{key}">{value_of(value)}</param>' for key, value in values.items())
    return f'<function name="{name}">{parameters}</function>'


def shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


FORMS = {
    "qwen": (qwen_xml_format(), qwen),
    "seed": (seed_format(), seed),
    "glm": (glm_format(), glm),
    "glm without breaks": (glm_format(), glm_without_breaks),
    "hunyuan": (hunyuan_format(), hunyuan),
    "minimax": (minimax_format(), minimax),
    "dsml": (dsml_format(V32_BLOCK), dsml),
    "kimi k3": (kimi_k3_format(), kimi_k3),
    "minicpm": (minicpm_format(), minicpm),
}


@pytest.fixture(scope="module")
def tokenizer(shared_worker):
    return _tokenizer(shared_worker.model)


@pytest.fixture(params=["tokens", "text"])
def reads(request, shared_worker, tokenizer):
    """Whether an answer may be exactly this text; marks that the vocabulary has are tokens, or text as any other."""
    model, are_tokens = shared_worker.model, request.param == "tokens"

    def read_it(form, text, **rules):
        ids = {
            mark: model.tokenize(mark, add_special=False, parse_special=True) for mark in (*form.openings, *form.marks)
        }
        marks = {mark: found[0] for mark, found in ids.items() if len(found) == 1 and are_tokens}
        written = AnswerGrammar(marks).tools(form, TOOLS, **{"is_required": False, "in_parallel": True, **rules})
        matcher = LLMatcher(tokenizer, LLMatcher.grammar_from_lark(written), log_level=0)
        assert not matcher.get_error(), written
        whole = model.tokenize(text, add_special=False, parse_special=True)
        split = (model.tokenize(character, add_special=False, parse_special=False) for character in text)
        tokens = whole if are_tokens else [token for some in split for token in some]
        return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()

    return read_it


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize(
    ("function", "values"),
    [
        ("trip", {"city": "Rome", "days": 3}),
        ("trip", {"city": "", "class": "first", "days": 3, "code": "AB1", "stops": ["Pisa", "\n"]}),
        ("trip", {"city": 'São "Paulo"\n</parameter> x </arg_value>', "days": 12, "stops": []}),
        ("now", {}),
        ("any", {}),
        ("any", {"a": "b c", "d.e": 5}),
    ],
)
def test_calls_that_fit_their_schema_are_accepted_and_read_as_such(reads, name, function, values):
    form, write = FORMS[name]
    text = write(function, **values)
    for answer in (text, f"Well. {text}", f"{text}\n{write('now')}"):
        assert reads(form, answer)
    assert read(text, form, is_certain=True, **SCHEMAS) == [(function, values)]
    assert reads(form, text, is_required=True)
    assert reads(form, text, in_parallel=False)
    assert not reads(form, f"{text}\n{text}", in_parallel=False)


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize(
    ("function", "values"),
    [
        ("tram", {}),
        ("trip", {}),
        ("trip", {"days": 3}),
        ("trip", {"city": "Rome"}),
        ("trip", {"city": "Rome", "days": 0}),
        ("trip", {"city": "Rome", "days": "many"}),
        ("trip", {"city": "Rome", "class": "third", "days": 3}),
        ("trip", {"city": "Rome", "days": 3, "code": "ab1"}),
        ("trip", {"city": "Rome", "days": 3, "code": "AB12"}),
        ("trip", {"city": "Rome", "days": 3, "other": 1}),
        ("now", {"city": "Rome"}),
    ],
)
def test_calls_that_do_not_fit_are_not_accepted(reads, name, function, values):
    form, write = FORMS[name]
    assert not reads(form, write(function, **values))


def test_a_call_without_its_block_is_held_to_the_schema_too(reads):
    bare = qwen("trip", city="Rome", days=3).removeprefix("<tool_call>\n")
    assert reads(qwen_xml_format(), bare)
    assert reads(qwen_xml_format(), f"Well.\n{bare}\n{qwen('now')}")
    assert not reads(qwen_xml_format(), bare.replace("days", "daze"))


@pytest.mark.parametrize("keyword", [{"format": "date"}, {"pattern": "(?=a)"}, {"not": {"const": "a"}}])
def test_what_a_bare_text_cannot_be_held_to_is_refused_by_name_if_it_is_strict(keyword):
    schema = {"type": "object", "properties": {"a": {"type": "string", **keyword}}}
    with pytest.raises(FormCannotHold, match=next(iter(keyword))):
        AnswerGrammar({}).tools(
            glm_format(), [CallableTool("f", schema, is_strict=True)], is_required=True, in_parallel=False
        )
    AnswerGrammar({}).tools(
        glm_format(), [CallableTool("f", schema, is_strict=False)], is_required=True, in_parallel=False
    )
