"""Log probabilities in the shape of plain completions: parallel lists, one entry for each token.

Owns where each token begins in the text, which needs the tokens before it. Must not know chat's shape.
"""

import codecs
from collections.abc import Iterable

from engine import Alternative, JsonObject, TokenLogprob


class CompletionLogprobs:
    """Renders one answer's tokens in order, all at once or piece by piece: the pieces' lists joined are the whole's."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._offset = 0

    def render(self, tokens: Iterable[TokenLogprob]) -> JsonObject:
        """The lists for the next tokens. `text_offset` counts characters of this answer's text (with an echoed prompt)."""
        each = tuple(tokens)
        return {
            "tokens": [_text(token.bytes) for token in each],
            "token_logprobs": [token.logprob for token in each],
            "top_logprobs": [_top(token) for token in each],
            "text_offset": [self._advance(token.bytes) for token in each],
        }

    def _advance(self, token: bytes) -> int:
        """Where this token begins: after the characters that the tokens before it have completed."""
        begin = self._offset
        self._offset += len(self._decoder.decode(token))
        return begin


def _top(token: TokenLogprob) -> dict[str, float] | None:
    """The alternatives and the token itself, which may not be among them; nothing can precede a prompt's first token."""
    if token.logprob is None:
        return None
    alternatives: Iterable[Alternative] = reversed(token.top)  # of two that show the same, the likelier one stays
    top = {_text(alternative.bytes): alternative.logprob for alternative in alternatives}
    top[_text(token.bytes)] = token.logprob
    return top


def _text(token: bytes) -> str:
    r"""A token's text; one that is no UTF-8 by itself shows as `bytes:\xe2\x82`, so that no two tokens look alike."""
    try:
        return token.decode()
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in token)
