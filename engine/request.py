"""What may be asked of the engine: plain, immutable values that cross the process boundary as they are.

Owns the vocabulary of a generation, embedding or ranking request. A request that exists is legal as far as it can be judged
without the model: dialects check their own ranges before they build one. Must not know HTTP, a dialect or llama.cpp.
"""

from typing import Any, Literal

import msgspec

JsonObject = dict[str, Any]


class _Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of every request value: immutable, keyword-only, small on the wire."""


class TextPrompt(_Value, frozen=True, kw_only=True, tag="text"):
    """Text to continue as it stands. `parse_special` turns control-token text into control tokens."""

    text: str
    parse_special: bool = True


class TokenPrompt(_Value, frozen=True, kw_only=True, tag="tokens"):
    """Token ids to continue as they stand; ids outside the vocabulary fail with InvalidRequest.

    `text` (if any) is tokenized without a beginning-of-sequence token and appended: Ollama's `context` plus `prompt`.
    """

    tokens: tuple[int, ...]
    text: str = ""


class InfillPrompt(_Value, frozen=True, kw_only=True, tag="infill"):
    """Fill in the middle between `prefix` and `suffix`; InvalidRequest where the vocabulary lacks the tokens."""

    prefix: str
    suffix: str


class Media(_Value, frozen=True, kw_only=True):
    """A picture (PNG, JPEG, GIF, BMP, WebP) or a sound (WAV, MP3) as the file that it came as. `where`: its place in what was asked,
    which a refusal names. `most_side_pixels`: a larger picture is looked at in this size; None: as closely as the model can."""

    kind: Literal["image", "audio"]
    content: bytes
    where: str
    most_side_pixels: int | None = None


class ChatPrompt(_Value, frozen=True, kw_only=True, tag="chat"):
    """A conversation for the model's own chat template.

    `messages` have the shape that Hugging Face templates expect: `role`, `content` (text, or a list of parts:
    `{"type": "text", "text": ...}`, and `{"type": "image"}` or `{"type": "audio"}` for the next of `media`), and where present `name`,
    `reasoning_content`, `tool_calls` (with `function.arguments` as an object or JSON text, which may be broken) and `tool_call_id`.
    `tools` are `{"type": "function", "function": {...}}` objects. `template_kwargs` are further variables, `documents` among them,
    which stand above those that ask the template for `reasoning_effort`: `none`, `on` or a level; None: as it does by itself.
    `add_generation_prompt`: the prompt ends where an answer begins; `continue_final_message`: it ends within the last message instead, an
    assistant's, which the answer goes on with. `prefix_tokens` stand before the rendered prompt. `template`: what it is rendered with in
    place of the model's own, in Jinja or in Go's syntax; its variable `suffix` (`.Suffix`), if any, is among `template_kwargs`.
    """

    messages: tuple[JsonObject, ...]
    tools: tuple[JsonObject, ...] = ()
    template_kwargs: JsonObject = {}
    reasoning_effort: str | None = None
    add_generation_prompt: bool = True
    continue_final_message: bool = False
    prefix_tokens: tuple[int, ...] = ()
    media: tuple[Media, ...] = ()
    template: str | None = None


Prompt = TextPrompt | TokenPrompt | InfillPrompt | ChatPrompt


class Mirostat(_Value, frozen=True, kw_only=True):
    """Mirostat sampling (version 1 or 2) towards the surprise `tau`, at learning rate `eta`.

    Replaces all samplers but the penalties, DRY and temperature.
    """

    version: int
    tau: float = 5.0
    eta: float = 0.1


class Dry(_Value, frozen=True, kw_only=True):
    """Lowers the logit of a token that would go on repeating what was said by `multiplier` times `base` to the power of the tokens
    repeated beyond `allowed_length`. Looks at the last `last_n` tokens (0 none, -1 the whole context), but never across a breaker:
    not empty, at most MAX_BREAKER_BYTES long in UTF-8, else InvalidRequest."""

    multiplier: float
    base: float = 1.75
    allowed_length: int = 2
    last_n: int = 64
    sequence_breakers: tuple[str, ...] = ("\n", ":", '"', "*")


MAX_BREAKER_BYTES = 20
"""llama.cpp compares at most 20 tokens behind a breaker's first, and a token has at least one byte."""


class Xtc(_Value, frozen=True, kw_only=True):
    """With this `probability` at each token, drops all tokens of at least the probability `threshold` but the least likely of them.
    Off where the threshold is above a half: no two tokens reach it."""

    probability: float
    threshold: float = 0.1


class DynamicTemperature(_Value, frozen=True, kw_only=True):
    """A temperature up to `range` lower or higher, where the next token is certain or open; `exponent` bends the way between."""

    range: float
    exponent: float = 1.0


class AdaptiveP(_Value, frozen=True, kw_only=True):
    """Draws tokens whose probabilities are near `target`, averaged over about 1 / (1 - `decay`) tokens."""

    target: float
    decay: float = 0.9


SAMPLERS = ("penalties", "dry", "top_n_sigma", "top_k", "typ_p", "top_p", "min_p", "xtc", "temperature", "adaptive_p")
"""The samplers that may be ordered, in llama.cpp's order and by its names."""


class SamplingParams(_Value, frozen=True, kw_only=True):
    """How the next token is drawn. A field at its default takes no part, so the default is to sample the plain distribution.

    `temperature` 0 is greedy: of the samplers only the penalties and DRY take part. `top_k` 0, `top_p` 1, `min_p` 0, `typical_p` 1 and
    `top_n_sigma` 0 (or less) are off. Those that drop tokens leave at least `min_keep` where they can. `repeat_last_n` is the number of
    last tokens (prompt included) that the three penalties look at: 0 none, -1 the whole context. `seed` None draws one.
    `logit_bias` maps token ids to what is added to their logits; -100 or less bans a token. `samplers`: only these of SAMPLERS, in this
    order (but `adaptive_p`, which draws, is always last); None: all, in theirs.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    typical_p: float = 1.0
    repeat_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    repeat_last_n: int = 64
    top_n_sigma: float = 0.0
    min_keep: int = 0
    dry: Dry | None = None
    xtc: Xtc | None = None
    dynamic_temperature: DynamicTemperature | None = None
    adaptive_p: AdaptiveP | None = None
    mirostat: Mirostat | None = None
    samplers: tuple[str, ...] | None = None
    seed: int | None = None
    logit_bias: dict[int, float] = {}


class JsonConstraint(_Value, frozen=True, kw_only=True, tag="json"):
    """The answer is one JSON document valid under `schema` (JSON text of a JSON Schema 2020-12)."""

    schema: str


class GrammarConstraint(_Value, frozen=True, kw_only=True, tag="grammar"):
    """The answer is a text of `grammar`: GBNF, or Lark as llguidance reads it."""

    grammar: str


class RegexConstraint(_Value, frozen=True, kw_only=True, tag="regex"):
    """The answer is a text that `regex` (in Rust's syntax, without looking around) matches whole."""

    regex: str


class ChoiceConstraint(_Value, frozen=True, kw_only=True, tag="choice"):
    """The answer is one of `choices`."""

    choices: tuple[str, ...]


Constraint = JsonConstraint | GrammarConstraint | RegexConstraint | ChoiceConstraint


class LoraScale(_Value, frozen=True, kw_only=True):
    """How strongly an adapter that was loaded with the model is applied; `adapter` is its name or its number in their order."""

    adapter: int | str
    scale: float = 1.0


class ToolUse(_Value, frozen=True, kw_only=True):
    """How an answer may call the tools of its ChatPrompt, in the form that the model's template uses.

    `is_required`: the answer is calls, at least one. `names`: the functions that may be called; None: every tool of the prompt.
    `in_parallel`: more than one call in an answer. `strict`: functions whose arguments must be valid under their whole schema, which
    is refused where it can't be enforced; every call's arguments are held to as much of its schema as can be.
    `inputs`: functions whose arguments are one text, `input`, and what that text is held to.
    """

    is_required: bool = False
    names: tuple[str, ...] | None = None
    in_parallel: bool = True
    strict: tuple[str, ...] = ()
    inputs: dict[str, GrammarConstraint | RegexConstraint] = {}


class GenerationRequest(_Value, frozen=True, kw_only=True, tag="generate"):
    """One prompt and what to make of it.

    `max_tokens` None: until the model ends or its context is full. `n` answers share one prompt. `logprobs` None: no
    log probabilities; else the number of alternatives reported beside each token (0: the token alone). `echo` sends
    the prompt's own text (and log probabilities) first. `score` computes each answer's cumulative log probability.
    `context_limit_tokens` lowers the context for this request. `truncate_prompt`: a chat too long for the context loses
    its oldest messages (never the system message or the last), other prompts their oldest tokens; else ContextLengthExceeded.
    `tool_use`: recognise tool calls in the answer; None: it is all text. `split_reasoning`: tell the model's thinking from its answer, by
    the marks that its template uses. `reasoning_budget_tokens`: thinking that has so many tokens is ended, and the answer goes on;
    None: as the model is loaded, or 0 where its prompt's effort is `none`; negative: the model ends it. Only where it is told apart.
    `cache_salt`: computed state is shared only among requests with the same (a cached prefix shows in how fast an answer comes).
    `prediction`: a text that the answer is expected to be much like; it is fast where it is right, and never changes the answer.
    `lora`: the adapters that it is computed with, others not; None: each as the model is loaded with it.
    `return_context`: Finished carries the tokens of prompt and answer. `keep_alive_seconds`: how long the model stays
    loaded afterwards (None: the server's setting; negative: for ever; 0: unload when idle). `tenant`: for whom; each gets an
    equal share of the model, however many requests it has.
    """

    model: str
    prompt: Prompt
    sampling: SamplingParams = SamplingParams()
    constraint: Constraint | None = None
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None
    n: int = 1
    echo: bool = False
    logprobs: int | None = None
    score: bool = False
    ignore_eos: bool = False
    tool_use: ToolUse | None = None
    split_reasoning: bool = False
    reasoning_budget_tokens: int | None = None
    prediction: str | None = None
    context_limit_tokens: int | None = None
    truncate_prompt: bool = False
    return_context: bool = False
    cache_salt: str = ""
    keep_alive_seconds: float | None = None
    tenant: str = ""
    lora: tuple[LoraScale, ...] | None = None

    @property
    def media(self) -> tuple[Media, ...]:
        """The pictures and sounds in its prompt, in order."""
        return self.prompt.media if isinstance(self.prompt, ChatPrompt) else ()


class EmbeddingRequest(_Value, frozen=True, kw_only=True, tag="embed"):
    """One vector for each input (text, or token ids). `normalize`: unit length; `dimensions`: cut to so many and, if
    `normalize`, renormalised. `truncate`: inputs longer than the model's context are cut, else ContextLengthExceeded.
    `tenant`: as of a generation."""

    model: str
    inputs: tuple[str | tuple[int, ...], ...]
    truncate: bool = False
    normalize: bool = True
    dimensions: int | None = None
    context_limit_tokens: int | None = None
    keep_alive_seconds: float | None = None
    tenant: str = ""
    lora: tuple[LoraScale, ...] | None = None


class RerankRequest(_Value, frozen=True, kw_only=True, tag="rerank"):
    """How well each document answers the query. A document too long to be read together with the query is ContextLengthExceeded.
    `tenant`: as of a generation."""

    model: str
    query: str
    documents: tuple[str, ...]
    tenant: str = ""
    lora: tuple[LoraScale, ...] | None = None


class TokenizeRequest(_Value, frozen=True, kw_only=True, tag="tokenize"):
    """The token ids of `text`. `add_special`: with what the model puts before a text; `parse_special`: as in TextPrompt."""

    model: str
    text: str
    add_special: bool = False
    parse_special: bool = True


class DetokenizeRequest(_Value, frozen=True, kw_only=True, tag="detokenize"):
    """The text of token ids, control tokens included; bytes that are not UTF-8 become U+FFFD."""

    model: str
    tokens: tuple[int, ...]


class ApplyTemplateRequest(_Value, frozen=True, kw_only=True, tag="apply_template"):
    """The prompt that the model's chat template makes of a conversation."""

    model: str
    prompt: ChatPrompt


Request = (
    GenerationRequest | EmbeddingRequest | RerankRequest | TokenizeRequest | DetokenizeRequest | ApplyTemplateRequest
)
