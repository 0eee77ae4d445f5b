"""Runs rows: the servers take turns for several rounds, each started afresh and alone on the machine.

Owns the order of things. Must not know what a row measures. The order turns round from one round to the next, so that a machine that gets
slower or faster meanwhile favours nobody.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.bench.client import Client, ServerUnusable
from tools.bench.compare.measures import RequestFailed, Session
from tools.bench.compare.rows import Row
from tools.bench.compare.servers import OURS, Kind, Server, ServerFailed, Setup, running
from tools.bench.compare.verdict import Outcome
from tools.bench.load import embedding_scale, in_event_loop, prompt_scale
from tools.bench.make_models import bench_model
from tools.bench.workload import PromptScale


@dataclass
class Contest:
    """Everything that is equal for all servers. `say` gets a line whenever something was measured."""

    kinds: Sequence[Kind]
    models_dir: Path
    threads: int
    rounds: int
    is_quick: bool
    say: Callable[[str], None]
    _scales: dict[str, PromptScale] = field(default_factory=dict)

    def run(self, row: Row) -> dict[str, list[Outcome]]:
        """The outcomes of a row, by server."""
        if row.measure_alone is not None:
            return {OURS: [Outcome(row.measure_alone(self.is_quick), {})]}
        kinds = [kind for kind in self.kinds if row.has_peers or kind.name == OURS]
        outcomes: dict[str, list[Outcome]] = {kind.name: [] for kind in kinds}
        for number in range(self.rounds):
            for kind in kinds if number % 2 == 0 else reversed(kinds):
                outcome = self._round(row, kind, number)
                outcomes[kind.name].append(outcome)
                self.say(f"{row.letter}  round {number + 1}  {kind.name:18} {_shown(outcome)}")
        return outcomes

    def _round(self, row: Row, kind: Kind, number: int) -> Outcome:
        assert row.setup is not None
        details: dict[str, object] = {}
        model = bench_model(self.models_dir, row.setup.model)
        with tempfile.TemporaryDirectory() as directory:
            try:
                with running(kind, row.setup, model=model, threads=self.threads, directory=Path(directory)) as server:
                    return in_event_loop(self._measured(row, kind, server, number, details))
            except (RequestFailed, ServerUnusable, ServerFailed) as error:
                return Outcome({}, details, failure=str(error))

    async def _measured(self, row: Row, kind: Kind, server: Server, number: int, details: dict[str, object]) -> Outcome:
        assert row.measure is not None
        assert row.setup is not None
        async with Client(f"{server.url}/v1", counts_pieces=not kind.tells_usage) as client:
            model = await client.first_model()
            scale = await self._scale(client, model, row.setup)
            session = Session(server, client, model, scale, number, self.is_quick, details)
            before = server.processor_seconds()
            figures = await row.measure(session)
            details["processor_seconds"] = server.processor_seconds() - before
            return Outcome(figures, details, notes=tuple(session.notes))

    async def _scale(self, client: Client, model: str, setup: Setup) -> PromptScale:
        """How long prompts are; also the server's warm-up. The first server that is asked decides for all, for equal prompts."""
        scale = await (embedding_scale if setup.is_encoder else prompt_scale)(client, model)
        return self._scales.setdefault(setup.model, scale)


def _shown(outcome: Outcome) -> str:
    if outcome.failure:
        return outcome.failure.splitlines()[0]
    return "  ".join(f"{name}: {value:,.1f}" for name, value in _sorted(outcome.figures))


def _sorted(figures: Mapping[str, float]) -> Sequence[tuple[str, float]]:
    return sorted(figures.items())
