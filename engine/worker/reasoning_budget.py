"""Owns the end of thinking that takes too long: the tokens of its closing mark are then taken as if they had been drawn.

Must not know how tokens are drawn, nor what marks a family has.
"""

from collections.abc import Callable, Sequence

from engine.worker.output import AnswerOutput

_NO_TOKENS: tuple[int, ...] = ()


class ReasoningBudget:
    """Lets one answer think for `limit_tokens`."""

    def __init__(
        self, limit_tokens: int, tokenize: Callable[[str], list[int]], text_of: Callable[[int], bytes]
    ) -> None:
        """`tokenize` makes tokens of a text with its marks, `text_of` shows what a token stands for, marks included."""
        self._limit_tokens = limit_tokens
        self._tokenize = tokenize
        self._text_of = text_of
        self._is_closing = False

    def closing(self, output: AnswerOutput, may_follow: Callable[[Sequence[int]], bool]) -> Sequence[int]:
        """The tokens that are to follow now: none, unless thinking is to end here. They are said once for each thought. Not within a call
        that was begun while thinking, where they may not follow, nor right behind one, which ends the thinking if nothing more comes."""
        if not output.is_reasoning:
            self._is_closing = False
            return _NO_TOKENS
        if self._is_closing or output.thought_tokens < self._limit_tokens or output.is_within_character:
            return _NO_TOKENS
        tokens = self._tokens(output.rest_of_closing, output.closing)
        self._is_closing = may_follow(tokens) and not output.may_have_called
        return tokens if self._is_closing else _NO_TOKENS

    def _tokens(self, rest: str, closing: str) -> Sequence[int]:
        """Those of the rest of a mark that the model has begun to write. Some vocabularies can't begin with it: then all of the mark."""
        tokens = self._tokenize(rest)
        if b"".join(map(self._text_of, tokens)) == rest.encode():
            return tokens
        return self._tokenize(closing)
