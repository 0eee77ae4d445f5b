"""Owns the way from a row of logits to a token for one sequence. Must not know where the logits or the parameters come from.

llama.cpp's samplers do the work, on as few candidates as make no difference: what changes single tokens sees only those, what
chooses sees only what its first step could keep. Where all that is asked for is a temperature, or none, numpy draws.
"""

import secrets
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Self

import numpy as np

from engine.llama import stages
from engine.llama.candidates import Logits, NoCandidates, SamplerChain
from engine.llama.chain_draw import ChainDraw
from engine.llama.context import Context
from engine.llama.logit_edits import BANNED, LogitEdits
from engine.llama.model import Model
from engine.llama.plain_draw import PlainDraw
from engine.request import SamplingParams

_COLDEST = 1e-30
"""A temperature below this is greedy: divided by it, logits would become infinite in single precision."""
_SEEDS = (1 << 32) - 1  # the last value is how llama.cpp spells "random"
_EDITS = ("penalties",)


class Sampler:
    """Draws one token at a time from a row of logits and remembers what it drew, for the penalties. A context manager."""

    def __init__(
        self, model: Model, params: SamplingParams, *, ctx_size_tokens: int, banned: Iterable[int] = ()
    ) -> None:
        """`banned` tokens are never drawn. `ctx_size_tokens` is what a `repeat_last_n` of -1 stands for."""
        # No sequence is longer than the context, and llama.cpp allocates the whole window at once.
        window = ctx_size_tokens if params.repeat_last_n < 0 else min(params.repeat_last_n, ctx_size_tokens)
        seed = secrets.randbelow(_SEEDS) if params.seed is None else params.seed % _SEEDS
        setting = stages.Setting(model, params, window, seed)
        names = stages.stages(params)
        edits = [name for name in names if name in _EDITS and window]
        self.penalty_window_tokens = window if edits else 0
        self._resources = ExitStack()
        self._edits = self._make_edits(edits, setting, {**params.logit_bias, **dict.fromkeys(banned, BANNED)})
        self.choice = self._make_choice([name for name in names if name not in _EDITS], setting)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the C samplers; may be called again."""
        self._resources.close()

    def accept(self, tokens: Iterable[int]) -> None:
        """Let the penalties see tokens that were not drawn here: the prompt's last ones."""
        if self._edits:
            for token in tokens:
                self._edits.accept(token)

    def sample(self, context: Context, row: int) -> int:
        """The next token, from a row of the last batch, which is left as it was. NoCandidates where every token is ruled out."""
        return self.draw(context.logits(row))

    def draw(self, logits: Logits) -> int:
        """The same, from a row of logits."""
        if self._edits is None:
            return _possible(self.choice(logits), logits)
        original = self._edits.apply(logits)
        try:
            token = _possible(self.choice(logits), logits)
        finally:
            self._edits.undo(logits, original)
        self._edits.accept(token)
        return token

    def _make_edits(self, names: list[str], setting: stages.Setting, bias: dict[int, float]) -> LogitEdits | None:
        if not names and not bias:
            return None
        return LogitEdits(bias, self._resources.enter_context(SamplerChain(stages.make(names, setting))))

    def _make_choice(self, names: list[str], setting: stages.Setting) -> Callable[[Logits], int]:
        params = setting.params
        if params.temperature < _COLDEST:
            return _likeliest
        if not params.mirostat and names in ([], ["temperature"]):
            return PlainDraw(params.temperature, setting.seed)
        if params.mirostat:
            names = [name for name in names if name == "temperature"]
        return self._resources.enter_context(ChainDraw(names, setting))


def _likeliest(logits: Logits) -> int:
    return int(logits.argmax())


def _possible(token: int, logits: Logits) -> int:
    """The token, if its logit is a number: not that of a ruled out token, nor what a broken model computes."""
    if not np.isfinite(logits[token]):
        raise NoCandidates(f"no token can be drawn: the highest logit is {logits[token]}")
    return token
