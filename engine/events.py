"""What comes back for a request: plain values, in the order they happened, that cross the process boundary as they are.

A generation is: `Preparing` (only with pictures or sounds), `Started`, then `Admitted` (unless nothing has to be computed), then any number
of `ReasoningDelta`, `TextDelta` and `ToolCallDelta`, one `ChoiceFinished` for each answer, and
then exactly one `Finished` or `Failed`. Every other request is answered by exactly one result or `Failed`; vectors and scores have an
`Admitted` before.
"""

from typing import Literal

import msgspec

from engine.errors import ErrorCode

FinishReason = Literal["stop", "length", "tool_calls"]


class _Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of every event."""


class Preparing(_Event, frozen=True, kw_only=True, tag="preparing"):
    """The request's pictures and sounds have waited for their turn: the first of them is being cut or encoded."""


class Started(_Event, frozen=True, kw_only=True, tag="started"):
    """The prompt is legal: nothing but the server's own failure, and too long a wait, can stop the request now. `unused`: the paths of
    what of the prompt's messages and variables its template has no use for."""

    prompt_tokens: int
    unused: tuple[str, ...] = ()


class Admitted(_Event, frozen=True, kw_only=True, tag="admitted"):
    """The request has waited for its place and is being computed. Of requests for vectors or scores: its first inputs have been."""


class Alternative(_Event, frozen=True, kw_only=True):
    """A token that could have stood at a position: its bytes and natural-log probability."""

    token_id: int
    bytes: bytes
    logprob: float


class TokenLogprob(_Event, frozen=True, kw_only=True):
    """A token of the text with the most likely alternatives (best first) at its position.

    `logprob` is None only for the first token of an echoed prompt, which nothing precedes.
    """

    token_id: int
    bytes: bytes
    logprob: float | None
    top: tuple[Alternative, ...] = ()


class TextDelta(_Event, frozen=True, kw_only=True, tag="text"):
    """More text of answer `index`: whole characters, stop strings already removed. `logprobs` belong to the tokens whose
    last byte is in this text. `echo`: this is the prompt itself."""

    index: int
    text: str
    logprobs: tuple[TokenLogprob, ...] = ()
    echo: bool = False


class ReasoningDelta(_Event, frozen=True, kw_only=True, tag="reasoning"):
    """More of what the model thinks before answer `index`, without the marks around it."""

    index: int
    text: str


class ToolCallDelta(_Event, frozen=True, kw_only=True, tag="tool_call"):
    """More of tool call number `call_index` of answer `index`; `id` and `name` come with its first delta only,
    `arguments` is a piece of JSON text."""

    index: int
    call_index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""


class ChoiceFinished(_Event, frozen=True, kw_only=True, tag="choice_finished"):
    """Answer `index` is complete. `cumulative_logprob` and `completion_tokens` serve `best_of`."""

    index: int
    finish_reason: FinishReason
    completion_tokens: int
    cumulative_logprob: float | None = None


class Usage(_Event, frozen=True, kw_only=True):
    """Exact token counts over all answers. `image_tokens` and `audio_tokens`: what pictures and sounds took of the prompt.
    `cached_tokens`: those of the prompt that were not computed again. `completion_tokens` counts every sampled token but an
    end-of-generation token; `reasoning_tokens` are those of them that belong to the model's thinking, its marks included. Of a given
    prediction, accepted tokens were tried and drawn, rejected ones tried in vain."""

    prompt_tokens: int = 0
    image_tokens: int = 0
    audio_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    accepted_prediction_tokens: int = 0
    rejected_prediction_tokens: int = 0


class Timings(_Event, frozen=True, kw_only=True):
    """Measured durations in nanoseconds: waiting for the model's load, computing the prompt, generating, and in all."""

    load_ns: int = 0
    prompt_ns: int = 0
    generation_ns: int = 0
    total_ns: int = 0


class Finished(_Event, frozen=True, kw_only=True, tag="finished"):
    """All answers are complete."""

    usage: Usage
    timings: Timings
    context: tuple[int, ...] = ()


class Failed(_Event, frozen=True, kw_only=True, tag="failed"):
    """The request ends here. `param` names the part of the request at fault where one is."""

    code: ErrorCode
    message: str
    param: str | None = None


class EmbeddingResult(_Event, frozen=True, kw_only=True, tag="embedding"):
    """`vectors[i]` are the little-endian float32 values for input i."""

    vectors: tuple[bytes, ...]
    usage: Usage
    timings: Timings


class RerankResult(_Event, frozen=True, kw_only=True, tag="reranked"):
    """`scores[i]`, between 0 and 1, says how well document i answers the query."""

    scores: tuple[float, ...]
    usage: Usage
    timings: Timings


class TokenizeResult(_Event, frozen=True, kw_only=True, tag="tokenized"):
    """Token ids."""

    tokens: tuple[int, ...]


class DetokenizeResult(_Event, frozen=True, kw_only=True, tag="detokenized"):
    """Text."""

    text: str


class ApplyTemplateResult(_Event, frozen=True, kw_only=True, tag="templated"):
    """The rendered prompt."""

    prompt: str


Event = (
    Preparing
    | Started
    | Admitted
    | TextDelta
    | ReasoningDelta
    | ToolCallDelta
    | ChoiceFinished
    | Finished
    | Failed
    | EmbeddingResult
    | RerankResult
    | TokenizeResult
    | DetokenizeResult
    | ApplyTemplateResult
)
