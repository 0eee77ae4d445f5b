"""A tool that takes a text of a grammar is held to it in each form of call, or refused where the form has no place for that."""

import pytest
from llguidance import LLMatcher, LLTokenizer

from engine.chat.answers.answer_grammar import AnswerGrammar
from engine.chat.tool_formats.form import CallableTool, FormCannotHold, ToolFormat
from tests.unit.engine.chat.test_fuzzed_answers import FORMS

SCHEMA = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
    "additionalProperties": False,
}
NOTE = CallableTool("note", SCHEMA, is_strict=True, input_grammar='start: "q\\"" /[a-c]{3}/ "\\n"')
IN_JSON = {
    "HermesFormat",
    "LlamaFormat",
    "MistralFormat",
    "JsonListFormat",
    "DeepSeekFormat",
    "HarmonyFormat",
    "KimiK2Format",
}
"""Some of the forms that write arguments as JSON; those that write a text in another way have no place for a grammar."""


def written(grammar: str) -> bytes:
    """The first text of a grammar: always its least token."""
    matcher = LLMatcher(LLTokenizer("byte"), LLMatcher.grammar_from_lark(grammar), log_level=0)
    assert not matcher.is_error(), matcher.get_error()
    text = bytearray()
    while not matcher.is_stopped() and len(text) < 300:
        mask = matcher.compute_logit_bias()
        allowed = [byte for byte in range(256) if mask[byte]]
        if not allowed or (matcher.is_accepting() and text):
            break
        matcher.consume_token(allowed[0])
        text.append(allowed[0])
    return bytes(text)


def held(form: ToolFormat) -> bytes | None:
    """A call of the tool in this form; None where it is refused."""
    try:
        return written(AnswerGrammar({}).tools(form, (NOTE,), is_required=True, in_parallel=False))
    except FormCannotHold:
        return None


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_grammar_is_held_or_refused(form: ToolFormat) -> None:
    call = held(form)
    assert call is not None or type(form).__name__ not in IN_JSON
    assert call is None or b'q\\"aaa\\n"' in call
