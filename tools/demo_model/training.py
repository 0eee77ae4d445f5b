"""Owns the training run: optimizers, schedule, checkpoints. It knows neither skills nor the model file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch._inductor import config as inductor

from tools.demo_model.batches import Batches
from tools.demo_model.courtesy import Courtesy
from tools.demo_model.muon import Muon
from tools.demo_model.network import Network

WARM_UP_STEPS = 60
COOL_DOWN_SHARE = 0.55
MATRIX_RATE = 5e-3
VECTOR_RATE = 3e-3


@dataclass
class Progress:
    """Where a run stands."""

    step: int = 0
    tokens: int = 0
    loss: float = 0.0


class Run:
    """One training run, which goes on where its checkpoint stopped."""

    def __init__(self, network: Network, batches: Batches, checkpoint: Path, threads: int) -> None:
        self.network, self.batches, self.checkpoint = network, batches, checkpoint
        self.progress = Progress()
        self._courtesy = Courtesy(threads)
        inductor.cpp.dynamic_threads = True
        self._optimizers = _optimizers(network)
        if checkpoint.exists():
            self._restore(torch.load(checkpoint, weights_only=True))

    def train(self, steps: int, report_every: int = 50) -> Iterator[Progress]:
        """Train up to step `steps`, which also fixes the schedule; yields now and then, after a checkpoint."""
        started, before = time.monotonic(), self.progress.tokens
        smooth = 0.0
        while self.progress.step < steps:
            loss = self._step(_rate(self.progress.step, steps))
            smooth = loss if not smooth else 0.97 * smooth + 0.03 * loss
            self.progress.loss = smooth
            if self.progress.step % report_every == 0 or self.progress.step == steps:
                self._save()
                speed = (self.progress.tokens - before) / (time.monotonic() - started)
                print(
                    f"step {self.progress.step}/{steps} loss {smooth:.4f} tokens {self.progress.tokens / 1e6:.1f}M {speed:.0f}/s",
                    flush=True,
                )
                yield self.progress

    def _step(self, rate: float) -> float:
        torch.set_num_threads(self._courtesy.threads())
        rows = self.batches.shapes[self.progress.step % len(self.batches.shapes)]
        tokens, targets = (torch.from_numpy(array) for array in self.batches.draw(rows))
        for optimizer, peak in zip(self._optimizers, (MATRIX_RATE, VECTOR_RATE), strict=True):
            optimizer.param_groups[0]["lr"] = rate * peak
        with torch.autocast("cpu", torch.bfloat16):
            loss = self.network.loss(self.network(tokens, rows), targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for optimizer in self._optimizers:
            optimizer.step()
            optimizer.zero_grad()
        self.progress.step += 1
        self.progress.tokens += tokens.numel()
        return float(loss.detach())

    def _save(self) -> None:
        state = {
            "network": self.network.state_dict(), "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "step": self.progress.step, "tokens": self.progress.tokens, "chunk": self.batches.chunk,
        }  # fmt: skip
        unfinished = self.checkpoint.with_suffix(".part")
        torch.save(state, unfinished)
        unfinished.replace(self.checkpoint)

    def _restore(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        for optimizer, stored in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(stored)
        self.progress.step, self.progress.tokens = state["step"], state["tokens"]
        self.batches.chunk = state["chunk"]


def _optimizers(network: Network) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
    """Muon for the layers' matrices, AdamW for the embedding and the norms."""
    matrices = [weights for name, weights in network.named_parameters() if weights.ndim == 2 and name != "embedding"]
    others = [weights for name, weights in network.named_parameters() if weights.ndim == 1 or name == "embedding"]
    return Muon(matrices, MATRIX_RATE), torch.optim.AdamW(others, lr=VECTOR_RATE, betas=(0.9, 0.95), weight_decay=0.0)


def _rate(step: int, steps: int) -> float:
    """The share of the peak rate: a short rise, a long plateau, then a straight fall to nearly nothing."""
    fall = int(steps * COOL_DOWN_SHARE)
    return min(1.0, (step + 1) / WARM_UP_STEPS, max(0.01, (steps - step) / fall))
