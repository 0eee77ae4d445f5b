"""Owns the order of work: which sequences have a slot, and which of their tokens the next step computes.

There is no prefill and no decode phase: a sequence with one pending token is generating (or with a few, where what follows the one was
certain), one with more is catching up, and steps take from both, together or in turn. A slot goes to the tenant for which least was done,
among its requests to the one with fewest answers under way, then to the oldest. Must not know the model, samplers or events.
"""

import heapq
from collections import Counter
from collections.abc import Iterator
from collections.abc import Sequence as AbstractSequence

import msgspec

from engine.worker.adapter_turns import AdapterTurns
from engine.worker.fairness import ANSWER_TOKEN_COST, FairShare
from engine.worker.pacing import StepPace
from engine.worker.prefixes import common_prefix_length
from engine.worker.prompt_shares import PromptShare, share_out
from engine.worker.sequence import Sequence
from engine.worker.slots import Slots

# Below this a wait for another sequence's prefix costs more than computing it.
_WORTH_WAITING_TOKENS = 32
_MOST_CANDIDATES = 64
"""Waiting sequences that are looked at for a free slot: comparing each one's prompt with all that is cached takes its time."""
_PATIENCE_TOKENS = 1024
"""How much may be done for another tenant, in prompt tokens, while one that has no slot at all waits for its first."""


class Chunk(msgspec.Struct, frozen=True):
    """The next `count` pending tokens of a sequence; where these are all, `draft` guesses what follows them.

    Or else `span_rows` (from, to) of the vectors that stand there: `count` is then what they take with their last, before it 0.
    """

    sequence: Sequence
    count: int
    draft: tuple[int, ...] = ()
    span_rows: tuple[int, int] | None = None

    @property
    def tokens(self) -> AbstractSequence[int]:
        """The token ids to compute, drafted ones included."""
        start = self.sequence.computed
        return [*self.sequence.tokens[start : start + self.count], *self.draft]

    @property
    def catches_up(self) -> bool:
        """Whether all known tokens are computed after it, so that the next can be drawn."""
        return self.count == self.sequence.pending


class Scheduler:
    """Sequences that wait for a slot (oldest first) and those that have one (in the order in which they got it).

    `preemptions`: how often a sequence lost its slot; `cached_tokens`: those that were computed already when one got its slot.
    """

    def __init__(self, slots: Slots, pace: StepPace) -> None:
        """`pace` bounds a step, and its prompt part while answers are being generated."""
        self._slots = slots
        self._pace = pace
        self.waiting: list[Sequence] = []
        self.running: list[Sequence] = []
        self._turns = AdapterTurns()
        self._is_full = False
        self._was_span = False
        self._was_prompt = False
        self._fair_share = FairShare()
        self._tenants: Counter[str] = Counter()
        self.preemptions = 0
        self.cached_tokens = 0

    def __repr__(self) -> str:
        return f"Scheduler(running={self.running} waiting={self.waiting} {self._slots!r})"

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to do."""
        return not self.waiting and not self.running

    def add(self, sequence: Sequence) -> None:
        """Queue a sequence."""
        if sequence.tenant not in self._tenants:
            self._fair_share.join(sequence.tenant, self._tenants)
        self._tenants[sequence.tenant] += 1
        self.waiting.append(sequence)

    def discard(self, sequence: Sequence) -> None:
        """A sequence is finished or cancelled: its slot is free from now on, its state stays reusable."""
        self._is_full = False
        if sequence in self.waiting:
            self.waiting.remove(sequence)
        elif sequence in self.running:
            self.running.remove(sequence)
            self._give_up_slot(sequence)
        else:
            return
        self._tenants -= Counter([sequence.tenant])

    def schedule(self) -> list[Chunk]:
        """The next step: every generating sequence's token or tokens, and as much of the prompts as fits, beside them or in turn
        with them; of those whose turn it is. A step has no vectors beside tokens: where there are both, they take turns."""
        self._admit()
        in_turn = self._turns.of(self.running)
        at_span = [sequence for sequence in in_turn if sequence.next_span is not None]
        if at_span:
            in_turn = [sequence for sequence in in_turn if sequence.next_span is None]
            self._was_span = not (self._was_span and in_turn)
            if self._was_span:
                return [self._span_chunk(at_span[0], beside=in_turn)]
        prompts = [sequence for sequence in in_turn if not sequence.is_generating]
        answers = self._answer_chunks(in_turn)
        room = self._pace.prompt_tokens(
            sum(chunk.count for chunk in answers), waiting_tokens=sum(prompt.pending for prompt in prompts)
        )
        # Answers that let a prompt go first are next, whether or not prompts still take turns: or they would wait for two steps.
        if answers and prompts and (self._pace.takes_turns or self._was_prompt):
            self._was_prompt = not self._was_prompt
            answers, prompts = ([], prompts) if self._was_prompt else (answers, [])
        for chunk in answers:
            self._fair_share.charge(chunk.sequence.tenant, ANSWER_TOKEN_COST + chunk.count - 1)
        return [*answers, *self._prompt_chunks(prompts, room)]

    def make_room(self) -> bool:
        """The KV cache is full: forget an idle prefix, else take the slot of the youngest sequence, which starts again
        when another has ended. False if only one sequence is left, for which there must be room."""
        if self._slots.evict_idle():
            return True
        if len(self.running) < 2:
            return False
        self._is_full = True
        youngest = self.running[-1]
        assert youngest.slot is not None
        self._forget_span_rows(youngest)
        self._slots.clear(youngest.slot)
        self._stop(youngest)
        return True

    def _span_chunk(self, sequence: Sequence, beside: AbstractSequence[Sequence]) -> Chunk:
        """As much of the next span as a step may take of a prompt while others generate; all of it where its vectors see each other."""
        placed = sequence.next_span
        assert placed is not None
        answers = sum(other.is_generating for other in beside)
        start = sequence.span_rows
        most = placed.span.rows if placed.span.sees_all else start + self._pace.prompt_tokens(answers)
        stop = min(placed.span.rows, most)
        return Chunk(sequence, placed.span.length if stop == placed.span.rows else 0, span_rows=(start, stop))

    def _answer_chunks(self, in_turn: AbstractSequence[Sequence]) -> list[Chunk]:
        share = self._pace.batch_tokens // max(1, len(in_turn))
        return [_chunk(sequence, share) for sequence in in_turn if sequence.is_generating]

    @staticmethod
    def _prompt_chunks(prompts: AbstractSequence[Sequence], room: int) -> Iterator[Chunk]:
        shares = share_out(room, [PromptShare(sequence.tenant, sequence.pending) for sequence in prompts])
        for sequence, count in zip(prompts, shares, strict=True):
            if count:
                yield _chunk(sequence, count)

    def _admit(self) -> None:
        """Give slots to waiting sequences, but let those wait whose prefix another is just computing."""
        if self._is_full or not self.waiting:
            return
        if len(self._tenants) > 1 and not self._slots.has_idle:
            self._be_fair()
        held: set[int] = set()
        while self._slots.has_idle:
            sequence = self._first_ready(held)
            if sequence is None:
                return
            self._give_slot(sequence)

    def _first_ready(self, held: set[int]) -> Sequence | None:
        """The next in turn that need not wait. Those that must are noted in `held`, and not asked again."""
        answers = Counter(id(sequence.job) for sequence in self.running)
        in_turn = heapq.nsmallest(
            _MOST_CANDIDATES, self.waiting, key=lambda s: (self._fair_share.of(s.tenant), answers[id(s.job)])
        )
        for sequence in in_turn:
            if id(sequence) not in held:
                if not self._should_wait(sequence):
                    return sequence
                held.add(id(sequence))
        return None

    def _give_slot(self, sequence: Sequence) -> None:
        self.waiting.remove(sequence)
        sequence.slot = self._slots.acquire(
            sequence.tokens, salt=sequence.salt, reuse=sequence.reuses_prefixes, stops=sequence.job.stops
        )
        self._fair_share.charge(sequence.tenant, sequence.pending)
        self.cached_tokens += sequence.computed
        self.running.append(sequence)
        sequence.job.note_admitted(sequence.computed)

    def _be_fair(self) -> None:
        """Where a tenant without any slot has waited for too much of others' work, the one with most gives its youngest up."""
        slots = Counter(sequence.tenant for sequence in self.running)
        first = min(self.waiting, key=lambda s: (slots[s.tenant], self._fair_share.of(s.tenant)))
        tenant, most = slots.most_common(1)[0]
        lag = self._fair_share.of(tenant) - self._fair_share.of(first.tenant)
        if not slots[first.tenant] and most > 1 and lag > _PATIENCE_TOKENS:
            self._stop(next(s for s in reversed(self.running) if s.tenant == tenant))

    def _stop(self, sequence: Sequence) -> None:
        """It starts again later, from what is left of its state then."""
        self.preemptions += 1
        self.running.remove(sequence)
        self._give_up_slot(sequence)
        self.waiting.insert(0, sequence)

    def _should_wait(self, sequence: Sequence) -> bool:
        if not sequence.reuses_prefixes:
            return False
        cached = self._slots.cached_prefix_length(sequence.tokens, salt=sequence.salt)
        return any(self._awaits(sequence, other, cached) for other in self.running if other.pending > 1)

    def _awaits(self, sequence: Sequence, other: Sequence, cached: int) -> bool:
        """Whether `other` is about to compute enough of what `sequence` needs. Answers to one request always share its prompt."""
        if other.slot is None or other.salt != sequence.salt:
            return False
        shared = common_prefix_length(other.tokens, sequence.tokens, at_most=len(sequence.tokens) - 1)
        worth_waiting = 1 if other.job is sequence.job else _WORTH_WAITING_TOKENS
        return shared - cached >= worth_waiting and self._slots.expect(other.slot, shared)

    def _forget_span_rows(self, sequence: Sequence) -> None:
        """Vectors that are computed of a span that will not be ended here are no part of what the slot holds."""
        if sequence.slot is not None and sequence.span_rows:
            self._slots.drop_uncounted(sequence.slot)
        sequence.span_rows = 0

    def _give_up_slot(self, sequence: Sequence) -> None:
        self._forget_span_rows(sequence)
        if sequence.slot is not None:
            self._slots.release(sequence.slot)
            sequence.slot = None


def _chunk(sequence: Sequence, at_most: int) -> Chunk:
    assert sequence.slot is not None
    count = min(sequence.pending, at_most)
    if sequence.job.media:
        count = sequence.job.media.tokens_from(sequence.computed, count)
    return Chunk(sequence, sequence.slot.reach(count))
