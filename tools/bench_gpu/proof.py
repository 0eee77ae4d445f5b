"""Proof that a model's layers are on the GPU: how much of its memory is in use with and without them, and how fast each is.

Must not know the rows of the comparison.
"""

import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.bench.compare import servers
from tools.bench.compare.contest import Contest
from tools.bench.compare.measures import Session, under_load
from tools.bench.compare.rows import Row
from tools.bench.compare.servers import Kind, Place, Setup
from tools.bench.compare.verdict import Figures
from tools.bench.make_models import bench_model
from tools.bench.workload import Workload

_MIB = 2**20
_ENOUGH = 0.8


@dataclass(frozen=True)
class Proof:
    """`gpu_bytes`: what the server took of the GPU's memory with all layers on it."""

    gpu: str
    model_bytes: int
    gpu_bytes: int
    tokens_per_second_on_gpu: float
    tokens_per_second_on_cpu: float

    @property
    def holds(self) -> bool:
        """Whether most of the weights must lie on the GPU, and computing there is faster."""
        return (
            self.gpu_bytes > _ENOUGH * self.model_bytes
            and self.tokens_per_second_on_gpu > self.tokens_per_second_on_cpu
        )

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {**asdict(self), "holds": self.holds}


def gpu_state(report: str) -> tuple[str, int]:
    """Name and bytes in use of the first GPU, from what nvidia-smi prints as `name, MiB` a line. Raises ValueError."""
    name, _, used = report.strip().partition("\n")[0].rpartition(",")
    if not name:
        raise ValueError(f"nvidia-smi printed {report!r}; expected a name and a number of MiB")
    return name.strip(), int(used) * _MIB


def prove(models_dir: Path, model: str, threads: int) -> Proof:
    """Serve `model` without and with the GPU. Raises RuntimeError where one of both could not be measured."""
    _, before = _query()
    kinds = [_with_layers("0"), _with_layers("all")]
    row = Row("p", f"one stream, {model}", (), Setup(model, parallel=1), _measure)
    contest = Contest(kinds, models_dir, threads, rounds=1, is_quick=True, say=print)
    on_cpu, on_gpu = (outcomes[0] for outcomes in contest.run(row).values())
    if on_cpu.failure or on_gpu.failure:
        raise RuntimeError(on_cpu.failure or on_gpu.failure)
    size, used = bench_model(models_dir, model).stat().st_size, on_gpu.figures["gpu bytes"] - before
    return Proof(_query()[0], size, int(used), on_gpu.figures["tokens/s"], on_cpu.figures["tokens/s"])


async def _measure(session: Session) -> Figures:
    summary = await under_load(session, "one stream", Workload(clients=1, requests=2))
    return {"tokens/s": summary["tokens_per_second"], "gpu bytes": float(_query()[1])}


def _with_layers(layers: str) -> Kind:
    """This server with so many layers on the GPU."""
    ours = servers.trueline()

    def command(setup: Setup, place: Place) -> list[str]:
        return [*ours.command(setup, place), "--n-gpu-layers", layers]

    return Kind(f"{ours.name}, {layers} layers on the GPU", command, ours.ready_path)


def _query() -> tuple[str, int]:
    command = ["nvidia-smi", "--query-gpu=name,memory.used", "--format=csv,noheader,nounits"]
    return gpu_state(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
