"""Owns the counts that a worker keeps of its steps, and of the encoding beside them. Each is written by one thread and read by any.

Must not know what a step does."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from engine.activity import StepSeconds
from engine.histogram import Histogram

Part = Literal["schedule", "decode", "sample", "emit"]

_STEP_TOKENS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)


class Tally:
    """Counts since the worker's start."""

    def __init__(self) -> None:
        self.step_tokens = Histogram(bounds=_STEP_TOKENS)
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self._seconds: dict[Part, float] = dict.fromkeys(("schedule", "decode", "sample", "emit"), 0.0)
        self._others_seconds = 0.0
        self._step_began: float | None = None
        self._encoding_began: float | None = None

    @contextmanager
    def timing(self, part: Part) -> Iterator[None]:
        """The time inside is spent on this part of a step, also where it raises; but what another part takes inside is that one's."""
        began = time.perf_counter()
        beside, self._others_seconds = self._others_seconds, 0.0
        try:
            yield
        finally:
            elapsed = time.perf_counter() - began
            self._seconds[part] += elapsed - self._others_seconds
            self._others_seconds = beside + elapsed

    @contextmanager
    def step(self) -> Iterator[None]:
        """A step is under way inside."""
        self._step_began = time.monotonic()
        try:
            yield
        finally:
            self._step_began = None

    @contextmanager
    def encoding(self) -> Iterator[None]:
        """Inside, a picture or a sound is being cut or encoded, beside the steps and in a thread of its own."""
        self._encoding_began = time.monotonic()
        try:
            yield
        finally:
            self._encoding_began = None

    def note_batch(self, *, tokens: int, prompt_tokens: int) -> None:
        """A batch was computed."""
        self.step_tokens.add(tokens)
        self.prompt_tokens += prompt_tokens

    @property
    def step_seconds(self) -> StepSeconds:
        """Where the time went."""
        return StepSeconds(**self._seconds)

    @property
    def step_age_seconds(self) -> float:
        """How long the step under way has taken, or the encoding beside it if that takes longer; 0: there is neither."""
        under_way = [began for began in (self._step_began, self._encoding_began) if began is not None]
        return time.monotonic() - min(under_way) if under_way else 0.0
