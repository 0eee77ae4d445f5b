"""What a worker is doing and has done, as it tells the host: plain values that cross the process boundary.

Owns the vocabulary of slots, counters and step times. Must not know who shows them, nor in which form.
"""

from typing import Literal

import msgspec

from engine.histogram import Histogram

ModelState = Literal["loading", "ready", "closing", "absent"]
SlotState = Literal["empty", "cached", "prompt", "answer"]
CacheName = Literal["prefix_memory", "prefix_disk", "media"]


class _Activity(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every value here."""


class SlotActivity(_Activity, frozen=True, kw_only=True):
    """A place in the KV cache. `tokens` are held in it; `cached`: nobody uses them now.

    `request` numbers the request within the worker, `index` the answer within the request; None where nobody has the slot.
    """

    number: int
    state: SlotState
    tokens: int
    request: int | None = None
    index: int | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0


class StepSeconds(_Activity, frozen=True, kw_only=True):
    """Where the time of all steps went. `decode` waits for the model; on a GPU some of that wait falls to `sample`."""

    schedule: float = 0.0
    decode: float = 0.0
    sample: float = 0.0
    emit: float = 0.0


class TokenCounts(_Activity, frozen=True, kw_only=True):
    """Tokens since the worker's start. `prompt` were computed for prompts, `cached` did not have to be; `drafted` were guessed,
    of which `accepted` were right."""

    prompt: int = 0
    cached: int = 0
    completion: int = 0
    drafted: int = 0
    accepted: int = 0


class CacheActivity(_Activity, frozen=True, kw_only=True):
    """What is kept so as not to compute it again: prompts' states that left the KV cache, in memory and on disk (files of this model
    alone, within a bound that all models share), and encoded pictures and sound. `hits` were found and used since the worker's
    start, `misses` were looked for in vain, or would have taken longer to bring back than to compute."""

    name: CacheName
    entries: int
    size_bytes: int
    limit_bytes: int
    hits: int
    misses: int


class WorkerActivity(_Activity, frozen=True, kw_only=True):
    """A worker at one moment.

    `running` and `waiting`: answers with and without a slot. `preemptions`: how often one lost its slot to others.
    `kv_tokens` of `kv_capacity_tokens` cells hold state; a prefix that several share counts once. `step_age_seconds`: how long
    the step under way has taken, or the encoding beside it; 0: there is neither.
    """

    running: int = 0
    waiting: int = 0
    preemptions: int = 0
    kv_tokens: int = 0
    kv_capacity_tokens: int = 0
    slots: tuple[SlotActivity, ...] = ()
    caches: tuple[CacheActivity, ...] = ()
    tokens: TokenCounts = TokenCounts()
    step_seconds: StepSeconds = StepSeconds()
    step_tokens: Histogram = msgspec.field(default_factory=lambda: Histogram(bounds=()))
    step_age_seconds: float = 0.0


class RequestCounts(_Activity, frozen=True, kw_only=True):
    """What became of the requests for a model since the server's start, by outcome; and of generations how long they took in all,
    to their first token, and in the queue."""

    outcomes: dict[str, int]
    duration_seconds: Histogram
    first_token_seconds: Histogram
    queue_seconds: Histogram


class ModelActivity(_Activity, frozen=True, kw_only=True):
    """A model that was asked for. `open_requests` are in its worker, `awaiting_load` are not yet; `worker` is None where there is
    none, or where it does not answer in time."""

    model: str
    state: ModelState
    open_requests: int
    awaiting_load: int
    loads: int
    deaths: int
    counts: RequestCounts
    worker: WorkerActivity | None
