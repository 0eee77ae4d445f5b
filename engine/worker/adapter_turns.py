"""Owns whose turn it is where sequences are computed with different LoRA adapters: one step can compute with one choice of them only.

Must not know what the adapters are, nor what a step computes.
"""

import time
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

_TURN_SECONDS = 0.1
"""A change of adapters has llama.cpp plan its computing anew, which costs milliseconds: short turns would be all planning, long ones
make the others' streams halt."""


class Adapted(Protocol):
    """What is computed with some adapters."""

    @property
    def adapters_key(self) -> str:
        """Equal keys may share a step."""


Item = TypeVar("Item", bound=Adapted)


class AdapterTurns:
    """Gives every choice of adapters its turn; whose is over goes to the end of the line, behind any that came meanwhile."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._line: list[str] = []
        self._in_turn: str | None = None
        self._ends = 0.0

    def of(self, running: Sequence[Item]) -> Sequence[Item]:
        """Those whose turn it is, in their order; all, where nothing tells them apart."""
        keys = dict.fromkeys(item.adapters_key for item in running)
        if len(keys) < 2:
            self._line = list(keys)
            return running
        self._line = [key for key in self._line if key in keys]
        self._line.extend(key for key in keys if key not in self._line)
        if self._line[0] == self._in_turn and self._clock() >= self._ends:
            self._line.append(self._line.pop(0))
        if self._line[0] != self._in_turn:
            self._in_turn = self._line[0]
            self._ends = self._clock() + _TURN_SECONDS
        return [item for item in running if item.adapters_key == self._in_turn]
