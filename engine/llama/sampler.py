"""Owns a chain of llama.cpp's samplers for one sequence. Must not know where the logits or the parameters come from."""

import math
import secrets
from collections.abc import Iterable
from typing import Any

import llama_cpp
import numpy as np

from engine.llama.context import Context
from engine.llama.model import Model
from engine.llama.resource import Resource
from engine.request import SamplingParams

BANNED = -100.0
"""The bias from which on a token is never drawn."""
_COLDEST = 1e-30
"""A temperature below this is greedy: llama.cpp divides by it in single precision, and there the logits would become infinite."""
_SEEDS = (1 << 32) - 1  # the last value is how llama.cpp spells "random"
_MIROSTAT_CANDIDATES = 100


class Sampler(Resource):
    """Draws one token at a time from a row of logits and remembers what it drew, for the penalties."""

    def __init__(
        self, model: Model, params: SamplingParams, *, ctx_size_tokens: int, banned: Iterable[int] = ()
    ) -> None:
        """`banned` tokens are never drawn. `ctx_size_tokens` is what a `repeat_last_n` of -1 stands for."""
        chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        super().__init__(chain, llama_cpp.llama_sampler_free)
        self._add_bias(model, {**params.logit_bias, **dict.fromkeys(banned, BANNED)})
        self.penalty_window_tokens = self._add_penalties(model, params, ctx_size_tokens)
        self._is_argmax = params.temperature < _COLDEST and llama_cpp.llama_sampler_chain_n(self._handle) == 0
        self._add_draw(model, params)

    def accept(self, tokens: Iterable[int]) -> None:
        """Let the penalties see tokens that were not drawn here: the prompt's last ones."""
        for token in tokens:
            llama_cpp.llama_sampler_accept(self._handle, token)

    def sample(self, context: Context, row: int) -> int:
        """The next token, from a row of the last batch."""
        if self._is_argmax:
            return int(np.argmax(context.logits(row)))
        return int(llama_cpp.llama_sampler_sample(self._handle, context.handle, row))

    def _add(self, sampler: Any) -> None:
        llama_cpp.llama_sampler_chain_add(self._handle, sampler)

    def _add_bias(self, model: Model, bias: dict[int, float]) -> None:
        if not bias:
            return
        entries = (llama_cpp.llama_logit_bias * len(bias))()
        for entry, (token, value) in zip(entries, bias.items(), strict=True):
            entry.token = token
            entry.bias = -math.inf if value <= BANNED else value
        self._add(llama_cpp.llama_sampler_init_logit_bias(model.vocabulary_size, len(bias), entries))

    def _add_penalties(self, model: Model, params: SamplingParams, ctx_size_tokens: int) -> int:
        """Add them where they have an effect; returns how many tokens they look back."""
        values = (params.repeat_penalty, params.frequency_penalty, params.presence_penalty)
        # No sequence is longer than the context, and llama.cpp allocates the whole window at once.
        window = ctx_size_tokens if params.repeat_last_n < 0 else min(params.repeat_last_n, ctx_size_tokens)
        if values == (1.0, 0.0, 0.0) or not window:
            return 0
        self._add(llama_cpp.llama_sampler_init_penalties(model.vocabulary_size, window, *values))
        return window

    def _add_draw(self, model: Model, params: SamplingParams) -> None:
        seed = secrets.randbelow(_SEEDS) if params.seed is None else params.seed % _SEEDS
        if params.temperature < _COLDEST:
            self._add(llama_cpp.llama_sampler_init_greedy())
        elif params.mirostat:
            self._add(llama_cpp.llama_sampler_init_temp(params.temperature))
            self._add(_mirostat(model, params, seed))
        else:
            self._add_truncation(params)
            self._add(llama_cpp.llama_sampler_init_temp(params.temperature))
            self._add(llama_cpp.llama_sampler_init_dist(seed))

    def _add_truncation(self, params: SamplingParams) -> None:
        """llama.cpp's own order; top_k first, since what follows then sorts a few candidates and not the vocabulary."""
        if params.top_k > 0:
            self._add(llama_cpp.llama_sampler_init_top_k(params.top_k))
        if params.typical_p < 1:
            self._add(llama_cpp.llama_sampler_init_typical(params.typical_p, 1))
        if params.top_p < 1:
            self._add(llama_cpp.llama_sampler_init_top_p(params.top_p, 1))
        if params.min_p > 0:
            self._add(llama_cpp.llama_sampler_init_min_p(params.min_p, 1))


def _mirostat(model: Model, params: SamplingParams, seed: int) -> Any:
    mirostat = params.mirostat
    assert mirostat is not None
    if mirostat.version == 1:
        size = model.vocabulary_size
        return llama_cpp.llama_sampler_init_mirostat(size, seed, mirostat.tau, mirostat.eta, _MIROSTAT_CANDIDATES)
    return llama_cpp.llama_sampler_init_mirostat_v2(seed, mirostat.tau, mirostat.eta)
