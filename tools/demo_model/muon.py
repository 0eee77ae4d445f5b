"""Owns the Muon optimizer for the layers' matrices: momentum made orthogonal, matrices of one shape treated together.

PyTorch has it too, one matrix at a time; on a CPU that took as long as the network itself.
"""

# mypy: allow-subclassing-any, allow-untyped-decorators

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Keller Jordan's quintic: five rounds bring all singular values near one."""
_ROUNDS = 5


def orthogonal(matrices: Tensor) -> Tensor:
    """The nearest orthogonal matrices of a stack whose matrices are no taller than wide, roughly."""
    a, b, c = _COEFFICIENTS
    values = matrices.bfloat16()
    values = values / (values.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(_ROUNDS):
        square = values @ values.mT
        values = a * values + (b * square + c * square @ square) @ values
    return values.float()


class Muon(torch.optim.Optimizer):
    """Steps of equal size in every direction, scaled to the size that an AdamW step of the same rate has."""

    def __init__(
        self, weights: Iterable[torch.nn.Parameter], rate: float, momentum: float = 0.95, decay: float = 0.05
    ) -> None:
        super().__init__(list(weights), {"lr": rate, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """Move every matrix by its gradient's momentum, made orthogonal."""
        for group in self.param_groups:
            shapes: dict[torch.Size, list[Tensor]] = {}
            for weights in group["params"]:
                shapes.setdefault(weights.shape, []).append(weights)
            for alike in shapes.values():
                self._step_alike(alike, group)

    def _step_alike(self, alike: list[Tensor], group: dict[str, Any]) -> None:
        updates = torch.stack([self._momentum(weights, group["momentum"]) for weights in alike])
        tall = updates.shape[-2] > updates.shape[-1]
        straight = orthogonal(updates.mT if tall else updates)
        straight = straight.mT if tall else straight
        size = 0.2 * max(updates.shape[-2:]) ** 0.5
        for weights, update in zip(alike, straight, strict=True):
            weights.mul_(1 - group["lr"] * group["decay"]).sub_(update, alpha=group["lr"] * size)

    def _momentum(self, weights: Tensor, momentum: float) -> Tensor:
        """Nesterov's look ahead on the running mean of the gradients."""
        gradient = weights.grad
        assert gradient is not None
        state = self.state[weights]
        if not state:
            state["mean"] = torch.zeros_like(gradient)
        state["mean"].lerp_(gradient, 1 - momentum)
        return gradient.lerp(state["mean"], momentum)
