"""Owns the network that is trained: a Llama-shaped decoder in PyTorch, over rows of several lengths at once.

A batch is one flat run of tokens; only attention sees the rows, so a step mixes short and long samples without masks and with little
padding. It knows neither data nor files.
"""

# mypy: allow-subclassing-any

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Shape:
    """The sizes of the network."""

    vocabulary: int
    layers: int = 6
    width: int = 192
    heads: int = 3
    hidden: int = 512
    rope_base: float = 10_000.0
    norm_epsilon: float = 1e-5

    @property
    def head_width(self) -> int:
        """How wide one head is."""
        return self.width // self.heads


SHORT = 640
"""Rows up to this many tokens are attended to without PyTorch's fused attention."""

Rows = tuple[tuple[int, int], ...]
"""How a flat batch divides into rows: (number of rows, their length in tokens), in order."""


class Layer(nn.Module):
    """Attention and a gated feed-forward step, each behind an RMS norm."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.attention_norm = nn.RMSNorm(shape.width, eps=shape.norm_epsilon)
        self.forward_norm = nn.RMSNorm(shape.width, eps=shape.norm_epsilon)
        self.query, self.key, self.value, self.output = (_matrix(shape.width, shape.width) for _ in range(4))
        self.gate, self.up = _matrix(shape.hidden, shape.width), _matrix(shape.hidden, shape.width)
        self.down = _matrix(shape.width, shape.hidden)

    def forward(self, states: Tensor, cosine: Tensor, sine: Tensor, rows: Rows) -> Tensor:
        """The states of all positions after this layer."""
        attended = self._attend(self.attention_norm(states), cosine, sine, rows)
        states = states + functional.linear(attended, self.output)
        gate, up = functional.linear(self.forward_norm(states), torch.cat([self.gate, self.up])).chunk(2, -1)
        return states + functional.linear(functional.silu(gate) * up, self.down)

    def _attend(self, states: Tensor, cosine: Tensor, sine: Tensor, rows: Rows) -> Tensor:
        joined = functional.linear(states, torch.cat([self.query, self.key, self.value]))
        query, key, value = joined.view(-1, 3, self.shape.heads, self.shape.head_width).unbind(1)
        query, key = _rotated(query, cosine, sine), _rotated(key, cosine, sine)
        sizes = [count * length for count, length in rows]
        parts = [heads.split(sizes) for heads in (query, key, value)]
        return torch.cat([_attended([part[at] for part in parts], *row) for at, row in enumerate(rows)])


def _attended(parts: list[Tensor], count: int, length: int) -> Tensor:
    """Causal attention within `count` rows of one length."""
    heads = [part.view(count, length, *part.shape[1:]).transpose(1, 2) for part in parts]
    seen = functional.scaled_dot_product_attention(*heads, is_causal=True) if length > SHORT else _seen(*heads)
    return seen.transpose(1, 2).reshape(count * length, -1)


def _seen(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attention written out: on a CPU the fused one takes several times as long for short rows."""
    length, width = query.shape[-2:]
    later = torch.ones(length, length, dtype=torch.bool).triu(1)
    scores = (query * width**-0.5) @ key.mT
    return torch.softmax(scores.masked_fill(later, float("-inf")), -1).to(value.dtype) @ value


def _matrix(rows: int, columns: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(rows, columns) * columns**-0.5)


def _rotated(heads: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    first, second = heads.chunk(2, -1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], -1)


class Network(nn.Module):
    """Token ids to final states; the embedding is also the output matrix."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self._rotations: dict[Rows, tuple[Tensor, Tensor]] = {}
        self.embedding = nn.Parameter(torch.randn(shape.vocabulary, shape.width) * 0.02)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        for layer in self.layers:
            nn.init.zeros_(layer.output)
            nn.init.zeros_(layer.down)
            layer.compile(dynamic=False)  # one after the other: they are alike, so only the first takes its time
        self.norm = nn.RMSNorm(shape.width, eps=shape.norm_epsilon)

    def forward(self, tokens: Tensor, rows: Rows) -> Tensor:
        """The final states of a flat batch."""
        if rows not in self._rotations:
            self._rotations[rows] = _rotations(self.shape, rows)
        states = functional.embedding(tokens, self.embedding)
        for layer in self.layers:
            states = layer(states, *self._rotations[rows], rows)
        return self.norm(states)

    def loss(self, states: Tensor, targets: Tensor) -> Tensor:
        """Mean cross entropy of the positions whose target is not negative."""
        learned = targets >= 0
        logits = functional.linear(states[learned], self.embedding)
        return functional.cross_entropy(logits.float(), targets[learned])


def _rotations(shape: Shape, rows: Rows) -> tuple[Tensor, Tensor]:
    """Cosine and sine of each flat position's rotation, bf16, ready to multiply heads with."""
    frequencies = shape.rope_base ** -(torch.arange(0, shape.head_width, 2) / shape.head_width)
    positions = torch.cat([torch.arange(length).repeat(count) for count, length in rows])
    angles = (positions[:, None] * frequencies)[:, None, :]
    return angles.cos().bfloat16(), angles.sin().bfloat16()
