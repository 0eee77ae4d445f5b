"""Log probabilities as both chat APIs show them: token text, exact bytes and alternatives.

Owns that one shape, and what the two request fields mean together. OpenAI's older completions shape is `openai/completion_logprobs`.
"""

from collections.abc import Iterable

from engine import Alternative, JsonObject, TokenLogprob
from handlers.wire.refusal import InvalidParameter


def requested_alternatives(
    logprobs: bool | None, top_logprobs: int | None, condition: str = "logprobs must be true"
) -> int | None:
    """How many alternatives to report beside each token, or None where no log probabilities are asked for, which `condition` would do."""
    if logprobs:
        return top_logprobs or 0
    if top_logprobs:
        raise InvalidParameter(f"top_logprobs: {condition} for alternatives to be reported", "top_logprobs")
    return None


def render_logprobs(tokens: Iterable[TokenLogprob]) -> list[JsonObject]:
    """One object for each token of an answer."""
    return [{**_token(token), "top_logprobs": [_token(alternative) for alternative in token.top]} for token in tokens]


def _token(token: TokenLogprob | Alternative) -> JsonObject:
    """Bytes that are no UTF-8 by themselves show as U+FFFD in `token`; `bytes` has them exactly."""
    return {"token": token.bytes.decode(errors="replace"), "logprob": token.logprob, "bytes": list(token.bytes)}
