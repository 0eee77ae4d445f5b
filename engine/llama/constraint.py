"""Owns llguidance: grammars compiled for one vocabulary, and the mask of allowed tokens of one sequence.

Must not know where a schema comes from, nor how tokens are drawn.
"""

import ctypes
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

import llama_cpp
import numpy as np
from llguidance import LLMatcher, LLParserLimits, LLTokenizer
from llguidance.gbnf_to_lark import any_to_lark
from numpy.typing import NDArray

from engine.llama.json_schemas import JsonSchema, SchemaUnsupported
from engine.llama.library import LlamaError
from engine.llama.model import Model
from engine.llama.token_mask import TokenMask

# Models taught on compact or pretty JSON both manage the compact form, while free white space lets a weak one wander in it for ever.
_JSON_OPTIONS: Any = {"whitespace_flexible": False}
_LIMITS = LLParserLimits(verbose_errors=False)

_MOST_REASON_CHARACTERS = 300
_TOO_COMPLEX = ("too many", "Too many", "too complex", "too big", "limit", "max is")
"""Signs in a reason: while generating, llguidance says of most of its limits only in words that they were reached."""
_DEAD_END = "NoExtension"
_MOST_REMEMBERED = 32
_MOST_REMEMBERED_CHARACTERS = 1 << 16
_MOST_GRAMMAR_CHARACTERS = 1 << 16
"""Of a grammar, a regular expression or all choices. GBNF is converted in Python, which takes about a second for so much."""


class ConstraintExhausted(LlamaError):
    """There is no going on: it would take more time or memory than one request may have, or nothing may follow though something has to."""


class Constraint:
    """What one sequence may still say."""

    def __init__(self, matcher: LLMatcher, mask: TokenMask, schema: JsonSchema | None = None) -> None:
        """`mask` is room for the next mask; constraints that are asked in turns may share it. `schema`: what it was compiled of."""
        self._matcher = matcher
        self._mask = mask
        self.schema = schema

    def copy(self) -> "Constraint":
        """An independent constraint in the same state."""
        return Constraint(self._matcher.deep_copy(), self._mask, self.schema)

    def mask(self, logits: NDArray[np.float32]) -> None:
        """Set the logits of tokens that are not allowed next to minus infinity."""
        self._matcher.unsafe_compute_mask_ptr(self._mask.address, self._mask.size_bytes)
        if self._matcher.is_error():
            raise self._broken()
        self._mask.apply(logits)

    def accept(self, token: int) -> None:
        """Advance over a token that was drawn. LlamaError if it was not allowed: a wrong answer must not pass as valid."""
        if not self._matcher.consume_token(token):
            raise self._broken()

    def forced(self) -> list[int]:
        """The tokens that can only follow, in the way in which the model's own tokenizer would write them.

        Fewer than are certain: where a longer token may reach beyond the certain text, the choice is left to the model.
        """
        return self._matcher.compute_ff_tokens()

    def takes(self, tokens: Iterable[int]) -> bool:
        """Whether these tokens from here on are all of an answer."""
        matcher = self._matcher.deep_copy()
        return all(map(matcher.consume_token, tokens)) and bool(matcher.is_accepting())

    def allows(self, tokens: Iterable[int]) -> bool:
        """Whether these tokens may follow."""
        return all(map(self._matcher.deep_copy().consume_token, tokens))

    @property
    def is_complete(self) -> bool:
        """Whether nothing may follow any more."""
        return bool(self._matcher.is_stopped())

    def _broken(self) -> LlamaError:
        reason = _without_layout(self._matcher.get_error())
        if any(sign in reason for sign in _TOO_COMPLEX):
            return ConstraintExhausted(f"what the answer is held to turned out to be too complex: {reason}")
        if reason.startswith(_DEAD_END):
            return ConstraintExhausted(
                "what the answer is held to has led to where nothing may follow, though something has to"
            )
        return LlamaError(f"the constraint broke: {reason}")


class ConstraintCompiler:
    """Compiles constraints for one model. Its tokenizer takes about a second for a large vocabulary, so it is made once."""

    def __init__(self, model: Model) -> None:
        self._mask = TokenMask(model.vocabulary_size)
        self._tokenizer = _tokenizer(model)

        self._known: OrderedDict[tuple[str, str], Constraint] = OrderedDict()
        self._lock = threading.Lock()

    def json(self, schema: str) -> Constraint:
        """A constraint to JSON documents valid under `schema`. SchemaUnsupported names what it can't enforce."""
        return self._remembered(("json", schema), lambda: self._json(schema))

    def lark(self, grammar: str) -> Constraint:
        """A constraint to a grammar of our own making, in llguidance's form of Lark. SchemaUnsupported names what it can't enforce."""
        return self._remembered(("lark", grammar), lambda: self._compiled(LLMatcher.grammar_from_lark(grammar)))

    def grammar(self, grammar: str) -> Constraint:
        """A constraint to texts of a grammar, in GBNF or in Lark as llguidance reads it. SchemaUnsupported says what is wrong with it."""
        return self._remembered(("grammar", grammar), lambda: self._compiled(_lark(_bounded(grammar))))

    def regex(self, regex: str) -> Constraint:
        """A constraint to texts that a regular expression matches whole. SchemaUnsupported says what is wrong with it."""
        compile_regex = LLMatcher.grammar_from_regex
        return self._remembered(("regex", regex), lambda: self._compiled(compile_regex(_bounded(regex))))

    def choice(self, choices: Iterable[str]) -> Constraint:
        """A constraint to just these texts. SchemaUnsupported if they are too many."""
        alternatives = " | ".join(map(json.dumps, choices))  # in ASCII: llguidance's lexer takes no DEL as it is
        # As one terminal they are one automaton; as a rule each would be a candidate of its own at every step.
        grammar = LLMatcher.grammar_from_lark(f"start: CHOICE\nCHOICE: {_bounded(alternatives)}")
        return self._remembered(("choice", alternatives), lambda: self._compiled(grammar))

    def _remembered(self, key: tuple[str, str], compile_it: Callable[[], Constraint]) -> Constraint:
        """An independent constraint, compiled unless it lately was."""
        with self._lock:
            known = self._known.get(key)
            if known is not None:
                self._known.move_to_end(key)
                return known.copy()
        compiled = compile_it()
        if len(key[1]) <= _MOST_REMEMBERED_CHARACTERS:
            with self._lock:
                self._known[key] = compiled
                while len(self._known) > _MOST_REMEMBERED:
                    self._known.popitem(last=False)
        return compiled.copy()

    def _json(self, text: str) -> Constraint:
        schema = JsonSchema(text)
        matcher, reason = self._json_matcher(schema.text)
        if matcher is None:
            raise schema.refusal(reason, alone=lambda part: self._json_matcher(part)[1])
        return Constraint(_begun(matcher), self._mask, schema)

    def _json_matcher(self, schema: str) -> tuple[LLMatcher | None, str]:
        """A matcher, or why there is none."""
        try:
            grammar = LLMatcher.grammar_from_json_schema(schema, overrides=_JSON_OPTIONS)
        except ValueError as error:
            return None, str(error)
        matcher = LLMatcher(self._tokenizer, grammar, log_level=0, limits=_LIMITS)
        return (None, matcher.get_error()) if matcher.is_error() else (matcher, "")

    def _compiled(self, grammar: str) -> Constraint:
        matcher = LLMatcher(self._tokenizer, grammar, log_level=0, limits=_LIMITS)
        if matcher.is_error():
            raise SchemaUnsupported(_without_layout(matcher.get_error()))
        return Constraint(_begun(matcher), self._mask)


def _begun(matcher: LLMatcher) -> LLMatcher:
    """The same, once it has been seen to allow a first token: what refers to nothing but itself allows none."""
    matcher.compute_bitmask()
    if matcher.is_error():
        raise SchemaUnsupported(f"no text can begin under it ({_without_layout(matcher.get_error())})")
    return matcher


def _bounded(text: str) -> str:
    if len(text) > _MOST_GRAMMAR_CHARACTERS:
        raise SchemaUnsupported(f"it has {len(text)} characters; expected at most {_MOST_GRAMMAR_CHARACTERS}")
    return text


def _lark(grammar: str) -> str:
    """A grammar for llguidance, from Lark or from GBNF, which writes its rules with `::=`."""
    if "%json" in grammar:
        raise SchemaUnsupported(
            "`%json` is not taken, for a schema within a grammar is not checked; ask for JSON instead"
        )
    try:
        return LLMatcher.grammar_from_lark(any_to_lark(grammar))
    except RecursionError as error:
        raise SchemaUnsupported("it is nested too deeply") from error
    except Exception as error:  # the converter raises bare ones
        raise SchemaUnsupported(_without_layout(str(error))) from error


def _tokenizer(model: Model) -> LLTokenizer:
    """llguidance's view of the vocabulary. Special tokens are marked with a byte that no text contains, as it expects them."""
    pieces = [b"\xff" + piece if model.is_special(token) else piece for token, piece in enumerate(model.pieces())]
    tokenize = ctypes.cast(llama_cpp.llama_cpp._lib.llama_tokenize, ctypes.c_void_p).value
    make: Any = LLTokenizer.from_llamacpp  # type: ignore[attr-defined] # public, but missing in its type information
    tokenizer: LLTokenizer = make(
        tokens=pieces, vocab_ptr=model.vocab, tokenize_fptr=tokenize, eos_token=list(model.end_tokens), slices=None
    )
    return tokenizer


def _without_layout(text: str) -> str:
    """A message in one line: the libraries draw below the text what is wrong in it."""
    return " ".join(text.split())[:_MOST_REASON_CHARACTERS] or "it can't be compiled"
