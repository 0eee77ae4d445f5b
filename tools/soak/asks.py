"""Random requests of every kind, the impatient and the wrong ones too, and what may be answered to each.

Must not know how requests travel. The same seed draws the same requests.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.bench.workload import EXAMPLE_SCHEMA, JsonObject, text_of

KEYS = ("soak-key-one", "soak-key-two")
CHAT_MODEL = "trueline-demo"
ENCODER_MODEL = "encoder"
CONTEXT_TOKENS = 2048

_BUSY = frozenset({429, 503})
_SHARED_SYSTEM = text_of(60, "shared system prompt")
_TOOL: JsonObject = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": "Look a word up.",
        "parameters": {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
    },
}


@dataclass(frozen=True)
class Ask:
    """One request. `ending`: what a complete answer ends with. `patience_seconds`: when the client hangs up; None: it waits.

    `statuses`: what may be answered, beside that the server is too busy.
    """

    path: str
    body: Mapping[str, Any]
    statuses: frozenset[int] = frozenset({200})
    key: str = KEYS[0]
    ending: bytes = b""
    patience_seconds: float | None = None
    kind: str = field(default="", compare=False)

    def allows(self, status: int) -> bool:
        """Whether the server may answer so."""
        return status in self.statuses or status in _BUSY


def draw_ask(draw: random.Random) -> Ask:
    """Any of them."""
    kinds, weights = zip(*_KINDS.items(), strict=True)
    kind = draw.choices(kinds, weights)[0]
    ask: Ask = kind(draw)
    impatient = draw.random() < 0.3
    return Ask(
        ask.path,
        ask.body,
        ask.statuses,
        ask.key if ask.key not in KEYS else draw.choice(KEYS),
        ask.ending,
        draw.choice((0.0, 0.01, 0.1, draw.uniform(0, 2))) if impatient else None,
        kind.__name__.strip("_"),
    )


def _text(draw: random.Random, longest: int = 60) -> str:
    """Usually short, now and then long."""
    return text_of(draw.choice((1, 5, draw.randint(1, longest))), str(draw.random()))


def _chat(draw: random.Random, **fields: Any) -> Ask:
    messages = [{"role": "user", "content": _text(draw)}]
    if draw.random() < 0.4:
        messages.insert(0, {"role": "system", "content": _SHARED_SYSTEM})
    is_stream = draw.random() < 0.7
    body = {"model": CHAT_MODEL, "messages": messages, "max_tokens": draw.randint(1, 120), "stream": is_stream}
    return Ask("/v1/chat/completions", body | fields, ending=b"data: [DONE]\n\n" if is_stream else b"}")


def _endless(draw: random.Random) -> Ask:
    return _chat(draw, ignore_eos=True, max_tokens=draw.randint(100, 400), temperature=1.5)


def _several(draw: random.Random) -> Ask:
    return _chat(draw, n=draw.randint(2, 6), seed=draw.randint(0, 9))


def _stopped(draw: random.Random) -> Ask:
    return _chat(draw, stop=draw.sample(["a", "e", " ", "the", "\n", "."], 3))


def _with_logprobs(draw: random.Random) -> Ask:
    return _chat(draw, logprobs=True, top_logprobs=draw.randint(0, 5))


def _structured(draw: random.Random) -> Ask:
    schema = {"name": "answer", "strict": True, "schema": EXAMPLE_SCHEMA}
    return _chat(draw, response_format={"type": "json_schema", "json_schema": schema}, max_tokens=draw.randint(20, 300))


def _json(draw: random.Random) -> Ask:
    return _chat(draw, response_format={"type": "json_object"})


def _tools(draw: random.Random) -> Ask:
    return _chat(draw, tools=[_TOOL], tool_choice=draw.choice(("auto", "required")))


def _penalised(draw: random.Random) -> Ask:
    return _chat(draw, frequency_penalty=1.0, presence_penalty=0.5, temperature=draw.uniform(0, 2), top_p=0.9)


def _completion(draw: random.Random) -> Ask:
    body = {
        "model": CHAT_MODEL,
        "prompt": [_text(draw), _text(draw)],
        "max_tokens": draw.randint(1, 60),
        "stream": True,
    }
    return Ask("/v1/completions", body, ending=b"data: [DONE]\n\n")


def _ollama(draw: random.Random) -> Ask:
    body = {"model": CHAT_MODEL, "messages": [{"role": "user", "content": _text(draw)}], "options": {"num_predict": 50}}
    return Ask("/api/chat", body, ending=b"}\n")


def _embedding(draw: random.Random) -> Ask:
    texts = [_text(draw, 20) for _ in range(draw.randint(1, 20))]
    return Ask("/v1/embeddings", {"model": ENCODER_MODEL, "input": texts}, ending=b"}")


def _wrong_type(draw: random.Random) -> Ask:
    return Ask("/v1/chat/completions", {"model": CHAT_MODEL, "messages": _text(draw)}, frozenset({400}))


def _wrong_schema(draw: random.Random) -> Ask:
    schema = {"name": "answer", "strict": True, "schema": {"type": "string", "pattern": "(?<=a)b"}}
    return Ask(
        "/v1/chat/completions",
        {**_chat(draw).body, "response_format": {"type": "json_schema", "json_schema": schema}},
        frozenset({400}),
    )


def _too_long(draw: random.Random) -> Ask:
    messages = [{"role": "user", "content": text_of(CONTEXT_TOKENS, str(draw.random()))}]
    return Ask("/v1/chat/completions", {"model": CHAT_MODEL, "messages": messages}, frozenset({400}))


def _unknown_model(draw: random.Random) -> Ask:
    return Ask("/v1/chat/completions", {**_chat(draw).body, "model": "nobody"}, frozenset({404}))


def _wrong_key(draw: random.Random) -> Ask:
    ask = _chat(draw)
    return Ask(ask.path, ask.body, frozenset({401}), key="not a key")


_KINDS: dict[Callable[[random.Random], Ask], float] = {
    _chat: 8,
    _endless: 4,
    _several: 2,
    _stopped: 2,
    _with_logprobs: 2,
    _structured: 3,
    _json: 1,
    _tools: 2,
    _penalised: 1,
    _completion: 2,
    _ollama: 3,
    _embedding: 3,
    _wrong_type: 1,
    _wrong_schema: 1,
    _too_long: 1,
    _unknown_model: 1,
    _wrong_key: 1,
}
