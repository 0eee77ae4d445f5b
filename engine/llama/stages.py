"""Owns what a request's parameters are in terms of llama.cpp's samplers: which take part, in which order, and each as a C object.

Must not know rows, candidates or how a draw is made cheap.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import llama_cpp

from engine.llama.model import Model
from engine.request import SamplingParams

_MIROSTAT_CANDIDATES = 100


class Setting(NamedTuple):
    """What C samplers are made from. `window_tokens`: how far the penalties look back; `seed`: for those that draw."""

    model: Model
    params: SamplingParams
    window_tokens: int
    seed: int


class _Stage(NamedTuple):
    takes_part: Callable[[SamplingParams], bool]
    make: Callable[[Setting], Any]


def _penalties(setting: Setting) -> Any:
    params = setting.params
    return llama_cpp.llama_sampler_init_penalties(
        setting.model.vocabulary_size,
        setting.window_tokens,
        params.repeat_penalty,
        params.frequency_penalty,
        params.presence_penalty,
    )


_STAGES = {
    "penalties": _Stage(
        lambda p: (p.repeat_penalty, p.frequency_penalty, p.presence_penalty) != (1.0, 0.0, 0.0),
        _penalties,
    ),
    "top_k": _Stage(lambda p: p.top_k > 0, lambda s: llama_cpp.llama_sampler_init_top_k(s.params.top_k)),
    "typ_p": _Stage(lambda p: p.typical_p < 1, lambda s: llama_cpp.llama_sampler_init_typical(s.params.typical_p, 1)),
    "top_p": _Stage(lambda p: p.top_p < 1, lambda s: llama_cpp.llama_sampler_init_top_p(s.params.top_p, 1)),
    "min_p": _Stage(lambda p: p.min_p > 0, lambda s: llama_cpp.llama_sampler_init_min_p(s.params.min_p, 1)),
    "temperature": _Stage(
        lambda p: p.temperature != 1, lambda s: llama_cpp.llama_sampler_init_temp(s.params.temperature)
    ),
}
"""In llama.cpp's own order."""


def stages(params: SamplingParams) -> list[str]:
    """The names of the samplers that have an effect, in their order."""
    return [name for name, stage in _STAGES.items() if stage.takes_part(params)]


def make(names: list[str], setting: Setting) -> list[Any]:
    """These samplers."""
    return [_STAGES[name].make(setting) for name in names]


def chooser(setting: Setting) -> Any:
    """The sampler that ends a chain by drawing a token."""
    mirostat = setting.params.mirostat
    if mirostat is None:
        return llama_cpp.llama_sampler_init_dist(setting.seed)
    if mirostat.version == 1:
        size = setting.model.vocabulary_size
        return llama_cpp.llama_sampler_init_mirostat(
            size, setting.seed, mirostat.tau, mirostat.eta, _MIROSTAT_CANDIDATES
        )
    return llama_cpp.llama_sampler_init_mirostat_v2(setting.seed, mirostat.tau, mirostat.eta)
