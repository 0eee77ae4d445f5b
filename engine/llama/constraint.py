"""Owns llguidance: grammars compiled for one vocabulary, and the mask of allowed tokens of one sequence.

Must not know where a schema comes from, nor how tokens are drawn.
"""

import ctypes
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import llama_cpp
import msgspec
import numpy as np
from llguidance import LLMatcher, LLParserLimits, LLTokenizer
from numpy.typing import NDArray

from engine.llama.library import LlamaError
from engine.llama.model import Model
from engine.llama.token_mask import TokenMask

# Models taught on compact or pretty JSON both manage the compact form, while free white space lets a weak one wander in it for ever.
_JSON_OPTIONS: Any = {"whitespace_flexible": False}
_LIMITS = LLParserLimits(verbose_errors=False)

_MAX_REMAINDERS = 200_000
"""Most states for `multipleOf`. llguidance's limits don't count them, though they take 300 bytes each and more time the more they are."""


class SchemaUnsupported(ValueError):
    """The schema can't be enforced whole; the message names what is in the way."""


class Constraint:
    """What one sequence may still say."""

    def __init__(self, matcher: LLMatcher, mask: TokenMask) -> None:
        """`mask` is room for the next mask; constraints that are asked in turns may share it."""
        self._matcher = matcher
        self._mask = mask

    def copy(self) -> "Constraint":
        """An independent constraint in the same state."""
        return Constraint(self._matcher.deep_copy(), self._mask)

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

    @property
    def is_complete(self) -> bool:
        """Whether nothing may follow any more."""
        return bool(self._matcher.is_stopped())

    def _broken(self) -> LlamaError:
        return LlamaError(f"the constraint broke: {self._matcher.get_error()}")


class ConstraintCompiler:
    """Compiles constraints for one model. Its tokenizer takes about a second for a large vocabulary, so it is made once."""

    def __init__(self, model: Model) -> None:
        self._mask = TokenMask(model.vocabulary_size)
        self._tokenizer = _tokenizer(model)

    def json(self, schema: str) -> Constraint:
        """A constraint to JSON documents valid under `schema`. SchemaUnsupported names what it can't enforce."""
        try:
            grammar = LLMatcher.grammar_from_json_schema(schema, overrides=_JSON_OPTIONS)
        except ValueError as error:
            raise SchemaUnsupported(str(error)) from error
        _check_divisors(msgspec.json.decode(schema))
        return self._compiled(grammar)

    def lark(self, grammar: str) -> Constraint:
        """A constraint to a grammar in llguidance's form of Lark. SchemaUnsupported names what it can't enforce."""
        try:
            return self._compiled(LLMatcher.grammar_from_lark(grammar))
        except ValueError as error:
            raise SchemaUnsupported(str(error)) from error

    def _compiled(self, grammar: str) -> Constraint:
        matcher = LLMatcher(self._tokenizer, grammar, log_level=0, limits=_LIMITS)
        if matcher.is_error():
            raise SchemaUnsupported(_first_line(matcher.get_error()))
        matcher.compute_bitmask()  # a schema that refers to nothing but itself allows no first token
        if matcher.is_error():
            raise SchemaUnsupported(f"no document can begin under it ({_first_line(matcher.get_error())})")
        return Constraint(matcher, self._mask)


def _tokenizer(model: Model) -> LLTokenizer:
    """llguidance's view of the vocabulary. Special tokens are marked with a byte that no text contains, as it expects them."""
    pieces = [b"\xff" + piece if model.is_special(token) else piece for token, piece in enumerate(model.pieces())]
    tokenize = ctypes.cast(llama_cpp.llama_cpp._lib.llama_tokenize, ctypes.c_void_p).value
    make: Any = LLTokenizer.from_llamacpp  # type: ignore[attr-defined] # public, but missing in its type information
    tokenizer: LLTokenizer = make(
        tokens=pieces, vocab_ptr=model.vocab, tokenize_fptr=tokenize, eos_token=list(model.end_tokens), slices=None
    )
    return tokenizer


def _check_divisors(schema: Any) -> None:
    """SchemaUnsupported where telling multiples apart takes too many states: as many as the least common multiple has, for each."""
    divisors = [Decimal(repr(value)).normalize().as_tuple().digits for value in _values_of(schema, "multipleOf")]
    remainders = len(divisors) * math.lcm(*(int("".join(map(str, digits))) for digits in set(divisors)))
    if divisors and remainders > _MAX_REMAINDERS:
        raise SchemaUnsupported("its values of multipleOf are too large, or have too large a common multiple")


def _values_of(schema: Any, key: str) -> Iterator[int | float]:
    """The numbers that stand under `key`, however deep."""
    unread = [schema]
    while unread:
        item = unread.pop()
        if isinstance(item, dict):
            unread += item.values()
            if isinstance(item.get(key), int | float) and not isinstance(item[key], bool):
                yield item[key]
        elif isinstance(item, list):
            unread += item


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "the schema can't be compiled"
