"""A KV cache as a table of who holds which positions: what slots and scheduler are tested on, without a model."""


class TableKvCells:
    """Behaves like engine.llama.context.Context's memory. `capacity` counts cells; a shared prefix takes its cells once."""

    def __init__(self, *, removes_partially: bool = True) -> None:
        self.removes_partially = removes_partially
        self.held: dict[int, list[object]] = {}

    def keep_prefix(self, sequence: int, length: int) -> bool:
        """Forget what lies behind the prefix."""
        cells = self.held.setdefault(sequence, [])
        if length and length < len(cells) and not self.removes_partially:
            return False
        del cells[length:]
        return True

    def copy_prefix(self, source: int, target: int, length: int) -> None:
        """Share the source's cells."""
        assert not self.held.get(target)
        self.held[target] = self.held[source][:length]

    def length(self, sequence: int) -> int:
        """Number of positions held."""
        return len(self.held.get(sequence, []))

    def compute(self, sequence: int, count: int) -> None:
        """What a decode does: new cells behind those held."""
        self.held.setdefault(sequence, []).extend(object() for _ in range(count))

    @property
    def cells(self) -> int:
        """Distinct cells in use."""
        return len({id(cell) for cells in self.held.values() for cell in cells})
