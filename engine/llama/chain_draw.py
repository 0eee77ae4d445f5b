"""Owns the draw with llama.cpp's samplers, on as few candidates as their first step lets be enough.

Must not know where a row comes from, nor what was added to it.
"""

from collections.abc import Sequence

from engine.llama import narrowing, stages
from engine.llama.candidates import Candidates, Logits, NoCandidates, SamplerChain
from engine.llama.narrowing import Narrowing
from engine.llama.probability_mass import LocallyTypical, Nucleus
from engine.request import SamplingParams


class ChainDraw(SamplerChain):
    """Draws tokens with the samplers `names`, in this order, and what ends a chain."""

    def __init__(self, names: Sequence[str], setting: stages.Setting) -> None:
        left, self._narrow = _narrowed(names, setting.params)
        super().__init__([*stages.make(left, setting), stages.chooser(setting)])
        self.candidates = Candidates()

    def __call__(self, logits: Logits) -> int:
        """One token; NoCandidates if none is possible."""
        tokens = self._narrow(logits)
        if not len(tokens):
            raise NoCandidates("no token can be drawn: all are ruled out")
        self.candidates.fill(tokens, logits[tokens])
        self.apply(self.candidates)
        return self.candidates.drawn


def _narrowed(names: Sequence[str], params: SamplingParams) -> tuple[Sequence[str], Narrowing]:
    """The samplers that are left to do, and what the first that drops tokens lets the row be narrowed to."""
    is_scaled = names[:1] == ["temperature"] and params.dynamic_temperature is None
    temperature = params.temperature if is_scaled else 1.0
    first = next(iter(names[is_scaled:]), None)
    others = [name for name in names if name != first]
    match first:
        case "top_k":
            return names, narrowing.holding_top_k(params.top_k)
        case "min_p":
            return names, narrowing.holding_min_p(params.min_p, temperature=temperature, keep=params.min_keep)
        case "top_p":
            return others, Nucleus(params.top_p, temperature=temperature, keep=params.min_keep)
        case "typ_p":
            return others, LocallyTypical(params.typical_p, temperature=temperature, keep=params.min_keep)
        case "top_n_sigma":
            return others, narrowing.within_sigmas(params.top_n_sigma)
        case _:
            return names, narrowing.possible
