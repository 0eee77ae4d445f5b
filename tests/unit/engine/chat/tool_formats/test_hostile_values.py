"""Whatever the texts of a strict call speak of, it is read as a call that is valid: walks through the grammar of each form, which write its
marks wherever they may."""

import json
import random
import re
from collections.abc import Iterator

import jsonschema_rs
import pytest
from llguidance import LLMatcher, LLTokenizer, TokenizerWrapper

from engine.chat.answers.answer_format import AnswerFormat
from engine.chat.answers.answer_grammar import AnswerGrammar
from engine.chat.answers.messages_grammar import MessagesGrammar
from engine.chat.answers.recipients import RecipientsGrammar
from engine.chat.reader.answer import Answer, CallPiece
from engine.chat.tool_formats.form import CallableTool, FormCannotHold, ToolFormat
from engine.chat.tool_formats.gemma4 import Gemma4Format
from engine.chat.tool_formats.glm import glm_format
from engine.chat.tool_formats.lfm2 import Lfm2Format
from engine.chat.tool_formats.message_form import MessageFormat
from engine.chat.tool_formats.recipients import RecipientFormat
from engine.chat.tool_formats.tagged import TaggedFormat
from tests.unit.engine.chat.test_fuzzed_answers import FORMS

_STRING = {"type": "string"}


def _closed(required: list[str], **properties: object) -> dict[str, object]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


SCHEMAS: dict[str, dict[str, object]] = {
    "trip": _closed(
        ["city", "note", "days"],
        city=_STRING,
        note=_STRING,
        days={"type": "integer"},
        tags={"type": "array", "items": _STRING},
    ),
    "held": _closed(
        ["long"],
        short={"type": "string", "maxLength": 40},
        marks={"type": "string", "pattern": '^[a-z<>/|"]+$'},
        long={"type": "string", "minLength": 3},
    ),
    "mixed": _closed(
        ["either", "any", "inner"],
        either={"type": ["string", "integer"]},
        none={"anyOf": [_STRING, {"type": "null"}]},
        any={},
        inner=_closed(["name"], name=_STRING),
    ),
}
TOOLS = tuple(CallableTool(name, schema, is_strict=True) for name, schema in SCHEMAS.items())
_WALKS = 12
_MOST_STEPS = 400
_BYTES = [bytes([byte]) for byte in range(256)]


class Vocabulary:
    """Bytes, and the marks that are tokens of their own."""

    special_token_ids: list[int]

    def __init__(self, marks: list[str]) -> None:
        self.tokens = [*_BYTES, *(mark.encode() for mark in marks), b"<end>"]
        self.special_token_ids = list(range(256, len(self.tokens)))
        self.eos_token_id = len(self.tokens) - 1
        self.bos_token_id = None
        self.ids = {mark: 256 + number for number, mark in enumerate(marks)}
        self.tokenizer = LLTokenizer(TokenizerWrapper(self), n_vocab=len(self.tokens))

    def __call__(self, text: bytes) -> list[int]:
        return list(text)

    def marked(self, text: str) -> list[int]:
        """A text with its marks as tokens."""
        parts = re.split("|".join(f"({re.escape(mark)})" for mark in self.ids) or "(?!)", text)
        return [token for part in parts if part for token in ([self.ids[part]] if part in self.ids else part.encode())]


def _marks(form: ToolFormat) -> list[str]:
    marks = (*form.openings, *form.openings_at_start, *form.marks)
    return [mark for mark in dict.fromkeys(marks) if mark and not mark.startswith("{")]


def _hostile(form: ToolFormat) -> list[bytes]:
    """What a value may speak of that stands around it, too."""
    tags = form.tags if isinstance(form, TaggedFormat) else None
    ends = (
        [f"{tag.closing}{space}{end}" for tag in tags.values for end in tags.ends for space in ("", "\n")]
        if tags
        else []
    )
    texts = [
        *_marks(form),
        *ends,
        *ends,
        *SCHEMAS,
        "city",
        "any",
        "<",
        ">",
        "</",
        "]",
        '"',
        "'",
        "\\",
        "{",
        "}",
        "\n",
        "é",
        "5",
        "e9",
    ]
    return [text.encode() for text in texts]


def _grammar(form: ToolFormat, ids: dict[str, int]) -> AnswerGrammar:
    if isinstance(form, MessageFormat):
        return MessagesGrammar(ids, form)
    return RecipientsGrammar(ids) if isinstance(form, RecipientFormat) else AnswerGrammar(ids)


def _walk(
    grammar: str, begun: list[int], vocabulary: Vocabulary, hostile: list[bytes], choice: random.Random
) -> str | None:
    """A text of the grammar that goes on behind what is `begun`; None if none came to its end."""
    matcher = LLMatcher(vocabulary.tokenizer, LLMatcher.grammar_from_lark(grammar), log_level=0)
    assert not matcher.is_error(), matcher.get_error()
    taken = begun
    assert matcher.consume_tokens(taken)
    for _ in range(_MOST_STEPS):
        if matcher.is_stopped() or (matcher.is_accepting() and choice.random() < 0.5):
            return b"".join(vocabulary.tokens[token] for token in taken).decode(errors="replace")
        step = list(choice.choice(hostile))
        if choice.random() < 0.5 or matcher.validate_tokens(step) < len(step):
            step = [_any_token(matcher, vocabulary, choice)]
        assert matcher.consume_tokens(step)
        taken += step
    return None


def _any_token(matcher: LLMatcher, vocabulary: Vocabulary, choice: random.Random) -> int:
    mask = matcher.compute_logit_bias()
    allowed = [token for token in range(vocabulary.eos_token_id) if mask[token]]
    plain = [token for token in allowed if 32 <= token < 127]
    marks = [token for token in allowed if token >= 256]
    return choice.choice(marks if marks and choice.random() < 0.5 else plain or allowed)


def _calls(form: ToolFormat, text: str, *, in_parallel: bool) -> Iterator[tuple[str, str]]:
    """(name, arguments) of each call."""
    answer = Answer(is_certain=True, schemas=SCHEMAS)
    parser = AnswerFormat(None, form).parser(answer, thinking=None, reads_calls=True, in_parallel=in_parallel)
    assert parser is not None
    pieces = [piece for piece in (*parser.feed(text), *parser.finish()) if isinstance(piece, CallPiece)]
    names = {piece.number: piece.name for piece in pieces if piece.name}
    assert parser.complete_calls == len(names) > 0
    for number, name in names.items():
        yield name, "".join(piece.arguments for piece in pieces if piece.number == number)


@pytest.mark.parametrize("marks_are_tokens", [True, False], ids=["tokens", "text"])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_strict_call_is_read_as_a_valid_one(form: ToolFormat, marks_are_tokens: bool) -> None:
    vocabulary = Vocabulary(_marks(form) if marks_are_tokens else [])
    hostile = _hostile(form)
    for seed in range(_WALKS):
        choice = random.Random(seed)
        in_parallel = choice.random() < 0.5
        grammar = _grammar(form, vocabulary.ids).tools(form, TOOLS, is_required=True, in_parallel=in_parallel)
        # What is said in messages before a call could spell their marks out, too: holding all thinking to that would slow it down.
        begun = vocabulary.marked(form.openings[0]) if isinstance(form, MessageFormat) else []
        text = _walk(grammar, begun, vocabulary, hostile, choice)
        for name, arguments in _calls(form, text, in_parallel=in_parallel) if text else ():
            assert jsonschema_rs.is_valid(SCHEMAS[name], json.loads(arguments)), text


@pytest.mark.parametrize(
    "limit",
    [
        {"additionalProperties": {"type": "integer"}},
        {"propertyNames": {"pattern": "^x"}},
        {"patternProperties": {"": {"type": "integer"}}},
        {"maxProperties": 1},
    ],
)
@pytest.mark.parametrize("form", [glm_format(), Lfm2Format(), Gemma4Format()])
def test_limits_of_members_that_no_property_describes_are_refused_by_name(
    form: ToolFormat, limit: dict[str, object]
) -> None:
    tool = CallableTool("trip", {"type": "object", **limit}, is_strict=True)
    with pytest.raises(FormCannotHold, match=next(iter(limit))):
        AnswerGrammar({}).tools(form, (tool,), is_required=True, in_parallel=False)
