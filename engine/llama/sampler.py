"""Owns the way from a row of logits to a token for one sequence. Must not know where the logits or the parameters come from.

llama.cpp's samplers do the work, on as few candidates as make no difference: what changes single tokens sees only those, what
chooses sees only what its first step could keep. Where all that is asked for is a temperature, or none, numpy draws.
"""

import secrets
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from itertools import takewhile
from typing import Self

import numpy as np

from engine.llama import stages
from engine.llama.candidates import Logits, NoCandidates, SamplerChain
from engine.llama.chain_draw import ChainDraw
from engine.llama.context import Context
from engine.llama.dry_samplers import DrySamplers
from engine.llama.logit_edits import BANNED, LogitEdits
from engine.llama.model import Model
from engine.llama.plain_draw import PlainDraw
from engine.request import SamplingParams

_COLDEST = 1e-30
"""A temperature below this is greedy: divided by it, logits would become infinite in single precision."""
_SEEDS = (1 << 32) - 1  # the last value is how llama.cpp spells "random"
_EDITS = ("penalties", "dry")


class Sampler:
    """Draws one token at a time from a row of logits and remembers what it drew, for the penalties. A context manager."""

    def __init__(
        self,
        model: Model,
        params: SamplingParams,
        *,
        ctx_size_tokens: int,
        dry_samplers: DrySamplers,
        banned: Iterable[int] = (),
    ) -> None:
        """`banned` tokens are never drawn. `ctx_size_tokens`: what looking back over the whole context means."""
        seed = secrets.randbelow(_SEEDS) if params.seed is None else params.seed % _SEEDS
        setting = stages.Setting(params, model.vocabulary_size, ctx_size_tokens, seed, dry_samplers)
        edits, choosing = _split(stages.stages(params), params)
        self.look_back_tokens = stages.look_back_tokens([*edits, *choosing], setting)
        self._resources = ExitStack()
        self._edits = self._make_edits(edits, setting, {**params.logit_bias, **dict.fromkeys(banned, BANNED)})
        self.choice = self._make_choice(choosing, setting)
        self._remembering = [part for part in (self._edits, self.choice) if isinstance(part, LogitEdits | ChainDraw)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the C samplers; may be called again."""
        self._resources.close()

    def accept(self, tokens: Iterable[int]) -> None:
        """Let the penalties see tokens that were not drawn here: the prompt's last `look_back_tokens`."""
        for token in tokens:
            for part in self._remembering:
                part.accept(token)

    def sample(self, context: Context, row: int) -> int:
        """The next token, from a row of the last batch, which is left as it was. NoCandidates where every token is ruled out."""
        return self.draw(context.logits(row))

    def draw(self, logits: Logits) -> int:
        """The same, from a row of logits."""
        if self._edits is None:
            token = _possible(self.choice(logits), logits)
        else:
            original = self._edits.apply(logits)
            try:
                token = _possible(self.choice(logits), logits)
            finally:
                self._edits.undo(logits, original)
        self.accept((token,))
        return token

    def _make_edits(self, names: list[str], setting: stages.Setting, bias: dict[int, float]) -> LogitEdits | None:
        if not names and not bias:
            return None
        penalties = self._resources.enter_context(SamplerChain(stages.make(names, setting))) if names else None
        return LogitEdits(bias, penalties)

    def _make_choice(self, names: list[str], setting: stages.Setting) -> Callable[[Logits], int]:
        params = setting.params
        if params.temperature < _COLDEST:
            return _likeliest
        draws_by_itself = params.mirostat or params.dynamic_temperature or stages.adapts(params)
        if not draws_by_itself and names in ([], ["temperature"]):
            return PlainDraw(params.temperature if names else 1.0, setting.seed)
        return self._resources.enter_context(ChainDraw(names, setting))


def _split(names: list[str], params: SamplingParams) -> tuple[list[str], list[str]]:
    """The samplers that change single tokens' logits before all others do anything, and those that then choose."""
    if params.temperature < _COLDEST or params.mirostat:
        choosing = [name for name in names if name == "temperature"]
        return [name for name in names if name in _EDITS], choosing
    edits = list(takewhile(_EDITS.__contains__, names))
    return edits, names[len(edits) :]


def _likeliest(logits: Logits) -> int:
    return int(logits.argmax())


def _possible(token: int, logits: Logits) -> int:
    """The token, if its logit is a number: not that of a ruled out token, nor what a broken model computes."""
    if not np.isfinite(logits[token]):
        raise NoCandidates(f"no token can be drawn: the highest logit is {logits[token]}")
    return token
