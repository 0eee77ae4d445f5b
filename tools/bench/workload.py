"""What is asked of a server: how many clients, which prompts, what answers.

Owns the prompts and the request bodies. Must not know HTTP or how time is measured.
"""

import random
from dataclasses import dataclass, field
from typing import Any

JsonObject = dict[str, Any]

_SYLLABLES = (
    "ta",
    "re",
    "ni",
    "so",
    "lu",
    "me",
    "ka",
    "di",
    "po",
    "ve",
    "sha",
    "tor",
    "lin",
    "gar",
    "bel",
    "mi",
    "no",
    "fe",
    "ru",
)

EXAMPLE_SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 20},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "role": {"enum": ["admin", "editor", "reader"]},
        "code": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$"},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 10}, "minItems": 1, "maxItems": 3},
        "address": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "maxLength": 20},
                "zip": {"type": "string", "pattern": "^[0-9]{5}$"},
            },
            "required": ["city", "zip"],
            "additionalProperties": False,
        },
    },
    "required": ["name", "age", "role", "code", "tags", "address"],
    "additionalProperties": False,
}


@dataclass(frozen=True, kw_only=True)
class Workload:
    """One measurement. Lengths are in tokens; the prompt's own part does not count the prefix that all share.

    `long_prompt_tokens`: once every client's answer has begun, one more request with so long a prompt comes in (0: none).
    `sampling`: those parameters of every request. `ignore_eos`: ask for answers of full length, which random-weight models and fair
    comparisons need.
    """

    clients: int = 8
    requests: int = 32
    prompt_tokens: int = 108
    completion_tokens: int = 64
    shared_prefix_tokens: int = 0
    long_prompt_tokens: int = 0
    stream: bool = True
    schema: JsonObject | None = None
    sampling: JsonObject = field(default_factory=lambda: {"temperature": 0.8})
    ignore_eos: bool = True
    seed: int | str = 0


@dataclass(frozen=True)
class PromptScale:
    """How many tokens a prompt of so many words has, with the model being measured: `overhead` for an empty one."""

    overhead: float
    per_word: float

    def words(self, tokens: int, *, with_overhead: bool = True) -> int:
        """The number of words that makes a prompt of about `tokens` tokens."""
        return max(1, round((tokens - self.overhead * with_overhead) / self.per_word))


def scale_from(probes: list[tuple[int, int]]) -> PromptScale:
    """The scale through two measured pairs of words and tokens."""
    (words, tokens), (more_words, more_tokens) = probes
    per_word = (more_tokens - tokens) / (more_words - words)
    if per_word <= 0:
        raise ValueError(f"the server counts {tokens} tokens for {words} words but {more_tokens} for {more_words}")
    return PromptScale(tokens - words * per_word, per_word)


def text_of(words: int, seed: str) -> str:
    """So many invented words; another seed gives other words from the first on."""
    draw = random.Random(seed)
    return " ".join("".join(draw.choices(_SYLLABLES, k=draw.randint(1, 3))) for _ in range(words))


class Requests:
    """The bodies of one round, each with its own prompt, so that only the shared prefix can be reused between them."""

    def __init__(self, workload: Workload, scale: PromptScale, model: str, *, round_number: int = 0) -> None:
        self._workload = workload
        self._scale = scale
        self._model = model
        self._seed = f"{workload.seed}/{round_number}"

    def body(self, number: int) -> JsonObject:
        """Request number `number`."""
        workload = self._workload
        words = self._scale.words(workload.prompt_tokens)
        body = self._streamed(text_of(words, f"{self._seed}/{number}"), workload.completion_tokens)
        if workload.schema is not None:
            schema = {"name": "answer", "strict": True, "schema": workload.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif workload.ignore_eos:
            body["ignore_eos"] = True
        if not workload.stream:
            body["stream"] = False
            del body["stream_options"]
        return body

    def long_prompt_body(self) -> JsonObject:
        """The long prompt that comes in between; its answer is short."""
        return self._streamed(text_of(self._scale.words(self._workload.long_prompt_tokens), f"{self._seed}/long"), 4)

    def _streamed(self, text: str, max_tokens: int) -> JsonObject:
        messages = [{"role": "user", "content": text}]
        if self._workload.shared_prefix_tokens:
            words = self._scale.words(self._workload.shared_prefix_tokens, with_overhead=False)
            messages.insert(0, {"role": "system", "content": text_of(words, f"{self._seed}/shared")})
        return {
            "model": self._model,
            "messages": messages,
            "max_tokens": max_tokens,
            **self._workload.sampling,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
