"""Owns llama.cpp's view of some tokens and their logits, and the chains of its samplers that work on it.

Must not know which tokens are worth looking at, nor what a chain is made of.
"""

import ctypes
from collections.abc import Iterable
from typing import Any

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from engine.llama.library import LlamaError
from engine.llama.resource import Resource

Logits = NDArray[np.float32]
Tokens = NDArray[np.intp]

_CANDIDATE = np.dtype([("token", np.int32), ("logit", np.float32), ("probability", np.float32)])
_CANDIDATES = ctypes.POINTER(llama_cpp.llama_token_data)


class NoCandidates(LlamaError):
    """Every token is ruled out, so that none can be drawn."""


class Candidates:
    """A llama_token_data_array whose memory numpy owns and fills; used again and again, grown where it must."""

    def __init__(self) -> None:
        self._array = llama_cpp.llama_token_data_array()
        self._reserve(128)

    def _reserve(self, capacity: int) -> None:
        self._memory = np.zeros(capacity, dtype=_CANDIDATE)
        self._tokens, self._logits = self._memory["token"], self._memory["logit"]
        self._start = self._memory.ctypes.data_as(_CANDIDATES)

    def fill(self, tokens: Tokens, logits: Logits) -> None:
        """Make these the candidates, with the logit of each."""
        count = len(tokens)
        if count > len(self._memory):
            self._reserve(count)
        self._tokens[:count] = tokens
        self._logits[:count] = logits
        array: Any = self._array
        array.data, array.size, array.selected, array.sorted = self._start, count, -1, False

    @property
    def logits(self) -> Logits:
        """A view of the logits as a chain left them, in the order in which they were filled in, if it removes and moves none."""
        return self._logits[: self._array.size]

    @property
    def distribution(self) -> dict[int, float]:
        """The probability of each token that is left, as the chain's last softmax had it."""
        array: Any = self._array
        return {array.data[i].id: array.data[i].p for i in range(array.size)}

    @property
    def drawn(self) -> int:
        """The token that a chain drew; NoCandidates if none was left to draw from."""
        array: Any = self._array
        if array.selected < 0:
            raise NoCandidates("the samplers left no token to draw")
        return int(array.data[array.selected].id)

    @property
    def struct(self) -> Any:
        """The C structure."""
        return self._array


class SamplerChain(Resource):
    """llama.cpp's samplers, one after another."""

    def __init__(self, samplers: Iterable[Any]) -> None:
        """Takes the samplers over: they are freed with the chain."""
        chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        super().__init__(chain, llama_cpp.llama_sampler_free)
        for sampler in samplers:
            llama_cpp.llama_sampler_chain_add(chain, sampler)

    def apply(self, candidates: Candidates) -> None:
        """Let each sampler in turn change, remove or draw from the candidates."""
        llama_cpp.llama_sampler_apply(self._handle, candidates.struct)

    def accept(self, token: int) -> None:
        """Let the samplers that remember know of a token."""
        llama_cpp.llama_sampler_accept(self._handle, token)
