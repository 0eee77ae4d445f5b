"""Owns the stream of batches: samples rendered, tokenized, sorted by length into rows of fixed shape.

Only what the model itself writes is a target. Reproducible: the seed and the number of batches drawn fix everything.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tools.demo_model.corpus import training_chunk
from tools.demo_model.encoding import Encoder
from tools.demo_model.network import Rows
from tools.demo_model.rendering import TURN_END, TURN_START, training_text
from tools.demo_model.samples import Sample

CHUNK_SAMPLES = 4000
NO_TARGET = -1
Row = tuple[list[int], list[int]]
Tokens = NDArray[np.int64]


def learned_positions(ids: list[int], sample: Sample, encoder: Encoder) -> list[bool]:
    """Which tokens the model must learn to write: assistant turns with their end, or what completes a text."""
    if not sample.messages:
        start = len(encoder(sample.prompt))
        return [at >= start for at in range(len(ids))]
    opening = [encoder.ids[TURN_START], *encoder("assistant\n")]
    learned, writing = [False] * len(ids), False
    for at in range(len(ids)):
        if ids[at - len(opening) : at] == opening:
            writing = True
        learned[at] = writing
        if ids[at] == encoder.ids[TURN_END]:
            writing = False
    return learned


@dataclass
class Batches:
    """Draws batches of the given shapes; `chunk` is where the corpus stands."""

    encoder: Encoder
    seed: int
    shapes: tuple[Rows, ...]
    chunk: int = 0
    _pools: dict[int, deque[Row]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lengths = {length for rows in self.shapes for _, length in rows}
        self._pools = {length: deque() for length in sorted(lengths)}

    def _row(self, sample: Sample) -> Row:
        ids = self.encoder(training_text(sample))
        learned = learned_positions(ids, sample, self.encoder)
        return ids, [token if learns else NO_TARGET for token, learns in zip(ids[1:], learned[1:], strict=True)] + [
            NO_TARGET
        ]

    def _fill(self) -> None:
        """Sort one more chunk of the corpus into the pools; samples longer than the longest row are left out."""
        for sample in training_chunk(self.seed, self.chunk, CHUNK_SAMPLES):
            row = self._row(sample)
            pool = next((pool for length, pool in self._pools.items() if len(row[0]) <= length), None)
            if pool is not None:
                pool.append(row)
        self.chunk += 1

    def _take(self, room: int) -> Row:
        """The next row for `room` tokens: of that length, else the longest shorter one waiting."""
        while True:
            for length, pool in reversed(self._pools.items()):
                if pool and length <= room:
                    return pool.popleft()
            self._fill()

    def draw(self, rows: Rows) -> tuple[Tokens, Tokens]:
        """Flat token ids and targets of one batch of this shape."""
        if not any(self._pools.values()):
            self._fill()
        total = sum(count * length for count, length in rows)
        tokens, targets = np.full(total, 0, np.int64), np.full(total, NO_TARGET, np.int64)
        start = 0
        for count, length in rows:
            for _ in range(count):
                ids, wanted = self._take(length)
                tokens[start : start + len(ids)] = ids
                targets[start : start + len(ids)] = wanted
                start += length
        return tokens, targets
