"""Owns llama.cpp's DRY samplers of one model, made once for each kind. Must not know when they are applied."""

import ctypes
import threading
from collections import OrderedDict
from typing import Any

import llama_cpp

from engine.llama.model import Model
from engine.llama.resource import Resource
from engine.request import Dry

_KEPT = 8


class DrySamplers:
    """Copies the last few kinds that it made: finding the tokens that hold a breaker takes a pass over the vocabulary for each."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._kinds: OrderedDict[tuple[Dry, int], Resource] = OrderedDict()
        self._lock = threading.Lock()

    def make(self, dry: Dry, window_tokens: int) -> Any:
        """A sampler that looks back `window_tokens`. Whoever gets it frees it."""
        kind = (dry, window_tokens)
        with self._lock:
            if kind not in self._kinds:
                self._kinds[kind] = Resource(self._new(dry, window_tokens), llama_cpp.llama_sampler_free)
            self._kinds.move_to_end(kind)
            copy = llama_cpp.llama_sampler_clone(self._kinds[kind].handle)
            if len(self._kinds) > _KEPT:
                self._kinds.popitem(last=False)[1].close()
        return copy

    def close(self) -> None:
        """Free what was kept."""
        with self._lock:
            while self._kinds:
                self._kinds.popitem()[1].close()

    def _new(self, dry: Dry, window_tokens: int) -> Any:
        breakers = [text.encode() for text in dry.sequence_breakers]
        return llama_cpp.llama_sampler_init_dry(
            self._model.vocab,
            dry.multiplier,
            dry.base,
            dry.allowed_length,
            window_tokens,
            (ctypes.c_char_p * len(breakers))(*breakers),
            len(breakers),
        )
