"""The vocabulary of model shapes: a model's dimensions, and one tensor. Must not know architectures."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """A model's dimensions. `quantization` is that of the matrices; everything else is F32. `ranked_classes`: of a model that ranks texts,
    the number of outputs of its head.

    A model that `counts` follows each token of its vocabulary by the next one: its layers are computed, but add nothing. So its
    greedy answer is known, does not repeat itself, and does not hang on rounding. Its words are single tokens wherever they stand.
    """

    architecture: str
    layers: int
    width: int
    heads: int
    kv_heads: int
    feed_forward: int
    vocabulary: int
    quantization: str
    context: int = 32768
    tied_output: bool = True
    ranked_classes: int = 0
    counts: bool = False

    @property
    def kv_width(self) -> int:
        """Width of keys and of values, all heads together."""
        return self.width // self.heads * self.kv_heads


@dataclass(frozen=True)
class Tensor:
    """One tensor, rows before columns: a random matrix, `fill` throughout, or the model's first tensor, its rows moved on by `shift`.

    `gain` multiplies the size of random weights.
    """

    name: str
    shape: tuple[int, ...]
    fill: float | None = None
    shift: int = 0
    gain: float = 1.0
