"""Owns what a request's parameters are in terms of llama.cpp's samplers: which take part, in which order, and each as a C object.

Must not know rows, candidates or how a draw is made cheap.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import llama_cpp

from engine.llama.dry_samplers import DrySamplers
from engine.request import SAMPLERS, AdaptiveP, SamplingParams

_MIROSTAT_CANDIDATES = 100


class Setting(NamedTuple):
    """What C samplers are made from. `seed`: for those that draw. No sequence is longer than `ctx_size_tokens`."""

    params: SamplingParams
    vocabulary_size: int
    ctx_size_tokens: int
    seed: int
    dry_samplers: DrySamplers

    def window_tokens(self, last_n: int) -> int:
        """How far to look back; llama.cpp allocates it all at once, so never more than there can be."""
        return self.ctx_size_tokens if last_n < 0 else min(last_n, self.ctx_size_tokens)


class _Stage(NamedTuple):
    takes_part: Callable[[SamplingParams], bool]
    make: Callable[[Setting], Any]


def _penalties(setting: Setting) -> Any:
    params = setting.params
    return llama_cpp.llama_sampler_init_penalties(
        setting.vocabulary_size,
        setting.window_tokens(params.repeat_last_n),
        params.repeat_penalty,
        params.frequency_penalty,
        params.presence_penalty,
    )


def _penalizes(params: SamplingParams) -> bool:
    values = (params.repeat_penalty, params.frequency_penalty, params.presence_penalty)
    return values != (1.0, 0.0, 0.0) and params.repeat_last_n != 0


def _dry(setting: Setting) -> Any:
    dry = setting.params.dry
    assert dry is not None
    return setting.dry_samplers.make(dry, setting.window_tokens(dry.last_n))


def _xtc(setting: Setting) -> Any:
    xtc = setting.params.xtc
    assert xtc is not None
    return llama_cpp.llama_sampler_init_xtc(xtc.probability, xtc.threshold, setting.params.min_keep, setting.seed)


def _temperature(setting: Setting) -> Any:
    params = setting.params
    dynamic = params.dynamic_temperature
    if dynamic is None:
        return llama_cpp.llama_sampler_init_temp(params.temperature)
    return llama_cpp.llama_sampler_init_temp_ext(params.temperature, dynamic.range, dynamic.exponent)


_STAGES = {
    "penalties": _Stage(_penalizes, _penalties),
    "dry": _Stage(lambda p: p.dry is not None and p.dry.multiplier > 0 and p.dry.last_n != 0, _dry),
    "top_n_sigma": _Stage(
        lambda p: p.top_n_sigma > 0, lambda s: llama_cpp.llama_sampler_init_top_n_sigma(s.params.top_n_sigma)
    ),
    "top_k": _Stage(lambda p: p.top_k > 0, lambda s: llama_cpp.llama_sampler_init_top_k(s.params.top_k)),
    "typ_p": _Stage(
        lambda p: p.typical_p < 1,
        lambda s: llama_cpp.llama_sampler_init_typical(s.params.typical_p, s.params.min_keep),
    ),
    "top_p": _Stage(
        lambda p: p.top_p < 1, lambda s: llama_cpp.llama_sampler_init_top_p(s.params.top_p, s.params.min_keep)
    ),
    "min_p": _Stage(
        lambda p: p.min_p > 0, lambda s: llama_cpp.llama_sampler_init_min_p(s.params.min_p, s.params.min_keep)
    ),
    "xtc": _Stage(lambda p: p.xtc is not None and p.xtc.probability > 0 and p.xtc.threshold <= 0.5, _xtc),
    "temperature": _Stage(lambda p: p.temperature != 1 or p.dynamic_temperature is not None, _temperature),
}


def stages(params: SamplingParams) -> list[str]:
    """The names of the samplers that have an effect, in their order; what draws is not among them."""
    order = SAMPLERS if params.samplers is None else params.samplers
    return [name for name in order if name in _STAGES and _STAGES[name].takes_part(params)]


def make(names: Sequence[str], setting: Setting) -> list[Any]:
    """These samplers."""
    return [_STAGES[name].make(setting) for name in names]


def look_back_tokens(names: Sequence[str], setting: Setting) -> int:
    """How many of the last tokens these samplers must have seen."""
    params = setting.params
    windows = {"penalties": params.repeat_last_n, "dry": params.dry.last_n if params.dry else 0}
    return max((setting.window_tokens(windows.get(name, 0)) for name in names), default=0)


def adapts(params: SamplingParams) -> AdaptiveP | None:
    """What draws by adapting probabilities, where it takes part."""
    return params.adaptive_p if params.samplers is None or "adaptive_p" in params.samplers else None


def chooser(setting: Setting) -> Any:
    """The sampler that ends a chain by drawing a token."""
    mirostat, adaptive = setting.params.mirostat, adapts(setting.params)
    if mirostat and mirostat.version == 1:
        return llama_cpp.llama_sampler_init_mirostat(
            setting.vocabulary_size, setting.seed, mirostat.tau, mirostat.eta, _MIROSTAT_CANDIDATES
        )
    if mirostat:
        return llama_cpp.llama_sampler_init_mirostat_v2(setting.seed, mirostat.tau, mirostat.eta)
    if adaptive:
        return llama_cpp.llama_sampler_init_adaptive_p(adaptive.target, adaptive.decay, setting.seed)
    return llama_cpp.llama_sampler_init_dist(setting.seed)
