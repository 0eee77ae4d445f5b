"""A KV cache as a table of who holds which positions: what slots and scheduler are tested on, without a model."""

import numpy as np
from numpy.typing import NDArray


class TableKvCells:
    """Behaves like engine.llama.context.Context's memory. `capacity` counts cells; a shared prefix takes its cells once."""

    def __init__(self, *, removes_partially: bool = True, window_tokens: int = 0, capacity: int = 1 << 30) -> None:
        self.capacity = capacity
        self.window_tokens = window_tokens
        self.removes_partially = removes_partially
        self.held: dict[int, list[object]] = {}
        self.first: dict[int, int] = {}

    def keep_prefix(self, sequence: int, length: int) -> bool:
        """Forget what lies behind the prefix."""
        cells = self.held.setdefault(sequence, [])
        if length and length < len(cells) and not self.removes_partially:
            return False
        del cells[length:]
        if not length:
            self.first[sequence] = 0
        return True

    def copy_prefix(self, source: int, target: int, length: int) -> None:
        """Share the source's cells."""
        assert not self.held.get(target)
        assert self.removes_partially or length == self.length(source)
        self.held[target] = self.held[source][:length]
        self.first[target] = self.first.get(source, 0)

    def length(self, sequence: int) -> int:
        """Number of positions held."""
        return len(self.held.get(sequence, []))

    def first_position(self, sequence: int) -> int:
        """As if a window's older positions were overwritten as soon as nobody looks at them."""
        return self.first.get(sequence, 0)

    def saved_bytes(self, sequence: int) -> int:
        """A byte for each position."""
        return self.length(sequence)

    def save(self, sequence: int) -> NDArray[np.uint8]:
        """A byte for each position."""
        return np.zeros(self.length(sequence), np.uint8)

    def restore(self, sequence: int, state: NDArray[np.uint8]) -> bool:
        """New cells for those positions; of a window's layers, only those that are still seen."""
        assert not self.held.get(sequence)
        if self.cells + len(state) > self.capacity:
            return False
        self.compute(sequence, len(state))
        return True

    def compute(self, sequence: int, count: int) -> None:
        """What a decode does: new cells behind those held."""
        self.held.setdefault(sequence, []).extend(object() for _ in range(count))
        if self.window_tokens:
            self.first[sequence] = max(self.first.get(sequence, 0), self.length(sequence) - self.window_tokens)

    @property
    def cells(self) -> int:
        """Distinct cells in use."""
        return len({id(cell) for cells in self.held.values() for cell in cells})
