"""What the engine says of its work, as Prometheus' text format and as `/v1/slots` shows it. Owns the names of the metrics."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from engine import CacheActivity, Histogram, ModelActivity, SlotActivity, WorkerActivity
from handlers.wire.types import server as types

EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Worker = WorkerActivity

_GAUGES: Sequence[tuple[str, str, Callable[[Worker], float]]] = (
    ("running_answers", "Answers that are being computed.", lambda worker: worker.running),
    ("waiting_answers", "Answers that wait for a slot.", lambda worker: worker.waiting),
    ("kv_cache_tokens", "Tokens whose state the KV cache holds.", lambda worker: worker.kv_tokens),
    ("kv_cache_capacity_tokens", "Tokens that the KV cache has room for.", lambda worker: worker.kv_capacity_tokens),
    ("cached_prefixes", "Slots that nobody uses and that hold state.", lambda worker: _slots_in(worker, "cached")),
    ("step_age_seconds", "How long the step under way has taken.", lambda worker: worker.step_age_seconds),
)
_COUNTERS: Sequence[tuple[str, str, Callable[[Worker], float]]] = (
    ("prompt_tokens", "Prompt tokens that were computed.", lambda worker: worker.tokens.prompt),
    ("cached_prompt_tokens", "Prompt tokens that did not have to be.", lambda worker: worker.tokens.cached),
    ("completion_tokens", "Tokens that were drawn.", lambda worker: worker.tokens.completion),
    ("drafted_tokens", "Tokens that were guessed.", lambda worker: worker.tokens.drafted),
    ("accepted_tokens", "Guessed tokens that were right.", lambda worker: worker.tokens.accepted),
    ("preemptions", "How often an answer lost its slot to others.", lambda worker: worker.preemptions),
)

_CACHE_GAUGES: Sequence[tuple[str, str, Callable[[CacheActivity], float]]] = (
    ("entries", "Prefixes, pictures and sounds that are kept outside of the KV cache.", lambda cache: cache.entries),
    ("bytes", "What they take.", lambda cache: cache.size_bytes),
    ("limit_bytes", "What they may take.", lambda cache: cache.limit_bytes),
)
_CACHE_COUNTERS: Sequence[tuple[str, str, Callable[[CacheActivity], float]]] = (
    ("hits", "How often one was found and used.", lambda cache: cache.hits),
    ("misses", "How often there was none that was worth it.", lambda cache: cache.misses),
)


def exposition(models: Sequence[ModelActivity]) -> bytes:
    """The metrics page. Counters of a model's process begin anew with each process."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Metrics(models))
    return generate_latest(registry)


def render_slots(models: Iterable[ModelActivity]) -> types.SlotsResponse:
    """The body of `/v1/slots`."""
    return types.SlotsResponse(models=[_model(model) for model in models])


class _Metrics(Collector):
    """The metrics of some models at one moment."""

    def __init__(self, models: Sequence[ModelActivity]) -> None:
        self._models = models
        self._workers = [(model.model, model.worker) for model in models if model.worker is not None]

    def collect(self) -> Iterator[Metric]:
        """Each metric with a sample for each model."""
        return itertools.chain(
            self._of_requests(), self._of_models(), self._of_workers(), self._of_caches(), self._of_steps()
        )

    def _of_requests(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "trueline_requests", "Requests that have ended, by how.", labels=["model", "outcome"]
        )
        for model in self._models:
            for outcome, count in model.counts.outcomes.items():
                requests.add_metric([model.model, outcome], count)
        yield requests
        for name, text in (
            ("duration_seconds", "From a generation's request to its end."),
            ("first_token_seconds", "From a generation's request to its first token."),
            ("queue_seconds", "How long a generation waited for a slot."),
        ):
            values = [(model.model, getattr(model.counts, name)) for model in self._models]
            yield _histogram(f"trueline_request_{name}", text, values)

    def _of_models(self) -> Iterator[Metric]:
        opened = GaugeMetricFamily("trueline_open_requests", "Requests in a loaded model.", labels=["model"])
        awaiting = GaugeMetricFamily("trueline_awaiting_load", "Requests that wait for a load.", labels=["model"])
        loads = CounterMetricFamily("trueline_worker_starts", "Processes started for a model.", labels=["model"])
        deaths = CounterMetricFamily("trueline_worker_deaths", "Processes that ended by themselves.", labels=["model"])
        for model in self._models:
            for family, value in (
                (opened, model.open_requests),
                (awaiting, model.awaiting_load),
                (loads, model.loads),
                (deaths, model.deaths),
            ):
                family.add_metric([model.model], value)
        yield from (opened, awaiting, loads, deaths)

    def _of_workers(self) -> Iterator[Metric]:
        for kind, metrics in ((GaugeMetricFamily, _GAUGES), (CounterMetricFamily, _COUNTERS)):
            for name, text, value in metrics:
                family = kind(f"trueline_{name}", text, labels=["model"])
                for model, worker in self._workers:
                    family.add_metric([model], value(worker))
                yield family

    def _of_caches(self) -> Iterator[Metric]:
        for kind, metrics in ((GaugeMetricFamily, _CACHE_GAUGES), (CounterMetricFamily, _CACHE_COUNTERS)):
            for name, text, value in metrics:
                family = kind(f"trueline_cache_{name}", text, labels=["model", "cache"])
                for model, worker in self._workers:
                    for cache in worker.caches:
                        family.add_metric([model, cache.name], value(cache))
                yield family

    def _of_steps(self) -> Iterator[Metric]:
        seconds = CounterMetricFamily("trueline_step_seconds", "Where steps' time went.", labels=["model", "part"])
        slots = GaugeMetricFamily("trueline_slots", "Slots by what they hold.", labels=["model", "state"])
        for model, worker in self._workers:
            for part, value in msgspec.structs.asdict(worker.step_seconds).items():
                seconds.add_metric([model, part], value)
            for state in ("empty", "cached", "prompt", "answer"):
                slots.add_metric([model, state], _slots_in(worker, state))
        yield from (seconds, slots)
        batches = [(model, worker.step_tokens) for model, worker in self._workers]
        yield _histogram("trueline_step_tokens", "Tokens computed in one step.", batches)


def _histogram(name: str, text: str, values: Iterable[tuple[str, Histogram]]) -> Metric:
    family = HistogramMetricFamily(name, text, labels=["model"])
    for model, histogram in values:
        bounds = [*map(str, map(float, histogram.bounds)), "+Inf"]
        buckets = list(zip(bounds, itertools.accumulate(histogram.counts), strict=True))
        family.add_metric([model], buckets=buckets, sum_value=histogram.sum)
    return family


def _slots_in(worker: WorkerActivity, state: str) -> int:
    return sum(slot.state == state for slot in worker.slots)


def _model(model: ModelActivity) -> types.ModelActivity:
    shown = types.ModelActivity(
        model=model.model,
        state=model.state,
        open_requests=model.open_requests,
        awaiting_load=model.awaiting_load,
        slots=[],
    )
    worker = model.worker
    if worker is not None:
        shown["running"], shown["waiting"] = worker.running, worker.waiting
        shown["kv_tokens"], shown["kv_capacity_tokens"] = worker.kv_tokens, worker.kv_capacity_tokens
        shown["caches"] = [_cache(cache) for cache in worker.caches]
        shown["slots"] = [_slot(slot) for slot in worker.slots]
    return shown


def _cache(cache: CacheActivity) -> types.CacheActivity:
    return types.CacheActivity(
        cache=cache.name,
        entries=cache.entries,
        size_bytes=cache.size_bytes,
        limit_bytes=cache.limit_bytes,
        hits=cache.hits,
        misses=cache.misses,
    )


def _slot(slot: SlotActivity) -> types.SlotActivity:
    shown = types.SlotActivity(slot=slot.number, state=slot.state, tokens=slot.tokens)
    if slot.request is not None and slot.index is not None:
        shown["request"], shown["index"] = slot.request, slot.index
        shown["prompt_tokens"], shown["completion_tokens"] = slot.prompt_tokens, slot.completion_tokens
    return shown
