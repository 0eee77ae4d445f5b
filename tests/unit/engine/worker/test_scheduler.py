"""The scheduler lets every sequence catch up with what is known of it, whoever else is there."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.llama.projector import Span
from engine.request import GenerationRequest, SamplingParams, TextPrompt
from engine.worker.media_places import NO_MEDIA, MediaPlaces, PlacedSpan
from engine.worker.pacing import StepPace
from engine.worker.prefixes import PLAIN_MEMORY, MemoryKind
from engine.worker.scheduler import Scheduler
from engine.worker.sequence import GenerationJob, Sequence
from engine.worker.slots import Slots
from tests.unit.engine.worker.kv_cells import TableKvCells

REQUEST = GenerationRequest(model="m", prompt=TextPrompt(text=""))


class FixedPace(StepPace):
    """Allows `beside_answers` prompt tokens beside running answers, or in turn with them, as if every step so far had shown that."""

    takes_turns = False

    def __init__(self, *, batch_tokens, beside_answers):
        super().__init__(target_seconds=1, batch_tokens=batch_tokens)
        self._beside_answers = beside_answers

    def prompt_tokens(self, answer_tokens, *, waiting_tokens=0):
        room = super().prompt_tokens(0) - answer_tokens
        return min(room, self._beside_answers) if answer_tokens else room


class Bench:
    """A scheduler over a table of KV cells; `step()` computes what it plans, and knows one token more for who caught up."""

    def __init__(self, *, slots=4, batch_tokens=16, interleaved_tokens=8, **options):
        memory = options.get("memory", PLAIN_MEMORY)
        self.cells = TableKvCells(removes_partially=memory.is_divisible, window_tokens=memory.window_tokens)
        self.slots = Slots(self.cells, slots, **options)
        self.scheduler = Scheduler(self.slots, FixedPace(batch_tokens=batch_tokens, beside_answers=interleaved_tokens))
        self.computed_tokens = 0

    def add(self, prompt, *, new_tokens=4, request_id=0, answers=1, request=REQUEST, media=NO_MEDIA):
        """Queue the answers of one request."""
        job = GenerationJob(request_id, request, list(prompt), len(prompt) + new_tokens, media=media)
        for index in range(answers):
            sequence = Sequence(job, index, sampler=None, constraint=None, output=None)
            job.sequences.append(sequence)
            self.scheduler.add(sequence)
        return job.sequences

    def step(self):
        """One step; the chunks it took, as (sequence, count)."""
        chunks = self.scheduler.schedule()
        for chunk in chunks:
            sequence, catches_up = chunk.sequence, chunk.catches_up
            self.cells.compute(sequence.slot.number, chunk.count)
            self.slots.advance(sequence.slot, chunk.tokens)
            if chunk.span_rows is not None:
                sequence.span_rows = 0 if chunk.count else chunk.span_rows[1]
            self.computed_tokens += chunk.count
            if catches_up and sequence.reached_limit:
                self.scheduler.discard(sequence)
            elif catches_up:
                sequence.tokens.append(1000 + len(sequence.tokens))
        self.slots.check_integrity()
        return [(chunk.sequence, chunk.count) for chunk in chunks]

    def run(self):
        """Steps until nothing is left, and how many."""
        for count in range(10_000):
            if self.scheduler.is_idle:
                return count
            self.step()
        raise AssertionError(f"never idle: {self.scheduler!r}")


def test_a_prompt_is_computed_in_chunks_of_the_batch_size():
    bench = Bench(batch_tokens=16)
    bench.add(range(40))
    assert [[count for _, count in bench.step()] for _ in range(3)] == [[16], [16], [8]]


def test_running_answers_go_first_and_bound_the_prompt_part_of_the_step():
    bench = Bench(batch_tokens=16, interleaved_tokens=8)
    (running,) = bench.add(range(4), new_tokens=100)
    bench.step()
    (long,) = bench.add(range(100, 150))
    assert bench.step() == [(running, 1), (long, 8)]


def test_where_prompts_have_steps_of_their_own_these_alternate_with_the_answers():
    bench = Bench(batch_tokens=16, interleaved_tokens=8)
    (running,) = bench.add(range(4), new_tokens=100)
    bench.step()
    (long,) = bench.add(range(100, 118))
    bench.scheduler._pace.takes_turns = True
    assert [bench.step() for _ in range(4)] == [[(long, 8)], [(running, 1)], [(long, 8)], [(running, 1)]]
    assert bench.step() == [(long, 2)]
    assert bench.step() == [(running, 1), (long, 1)]


def test_answers_that_let_a_prompt_go_first_come_before_more_of_it_though_it_may_go_beside_them_from_now_on():
    bench = Bench(batch_tokens=16, interleaved_tokens=8)
    (running,) = bench.add(range(4), new_tokens=100)
    bench.step()
    (prompt,) = bench.add(range(100, 140))
    bench.scheduler._pace.takes_turns = True
    assert bench.step() == [(prompt, 8)]
    bench.scheduler._pace.takes_turns = False
    assert bench.step() == [(running, 1)]
    assert bench.step() == [(running, 1), (prompt, 8)]


def picture_at(start, *, rows, length, sees_all=False):
    """A prompt's only picture."""
    ones = np.ones((1, rows), dtype=np.int32)
    span = Span(length=length, positions=ones, moves=ones, sees_all=sees_all)
    return MediaPlaces([PlacedSpan(start, span, np.zeros((rows, 1), dtype=np.float32))])


def test_a_picture_is_computed_in_parts_that_take_turns_with_the_answers():
    bench = Bench(batch_tokens=16, interleaved_tokens=8)
    (running,) = bench.add(range(4), new_tokens=100)
    bench.step()
    prompt = [100, 101, *range(-4, 0), 102]
    (seeing,) = bench.add(prompt, media=picture_at(2, rows=20, length=4))
    steps = [bench.step() for _ in range(7)]
    assert steps == [
        [(running, 1), (seeing, 2)],
        [(seeing, 0)],
        [(running, 1)],
        [(seeing, 0)],
        [(running, 1)],
        [(seeing, 4)],
        [(running, 1), (seeing, 1)],
    ]


def test_vectors_that_see_each_other_are_computed_in_one_step():
    bench = Bench(batch_tokens=16, interleaved_tokens=8)
    (running,) = bench.add(range(4), new_tokens=100)
    bench.step()
    (seeing,) = bench.add([*range(-12, 0), 102], media=picture_at(0, rows=12, length=12, sees_all=True))
    assert bench.step() == [(seeing, 12)]
    assert bench.step() == [(running, 1), (seeing, 1)]


def test_what_was_computed_of_a_picture_is_forgotten_with_its_sequence():
    bench = Bench(batch_tokens=16)
    (seeing,) = bench.add([100, *range(-4, 0), 102], media=picture_at(1, rows=40, length=4))
    bench.step()
    slot = seeing.slot
    bench.step()
    assert seeing.span_rows == 16
    bench.cells.compute(slot.number, 3)  # some of the rows are at positions behind those that are noted
    bench.scheduler.discard(seeing)
    bench.slots.check_integrity()
    assert (slot.tokens, seeing.span_rows) == ([100], 0)


def test_a_sequence_waits_for_a_prefix_that_another_is_computing():
    bench = Bench(batch_tokens=64)
    prefix = list(range(100))
    first, second = bench.add([*prefix, 7, 7])[0], bench.add([*prefix, 8, 8])[0]
    bench.run()
    shared_once = len(prefix) + 2 * (2 + 4)
    assert (bench.computed_tokens, first.slot, second.slot) == (shared_once, None, None)


def test_answers_to_one_request_compute_its_prompt_once():
    bench = Bench()
    bench.add(range(10), new_tokens=1, answers=3)
    bench.run()
    last_prompt_token_each, drawn = 2, 3
    assert bench.computed_tokens == 10 + last_prompt_token_each + drawn


@pytest.mark.parametrize("answers", [1, 3])
def test_an_indivisible_memory_is_waited_for_too_and_stops_where_its_state_is_wanted(answers):
    bench = Bench(memory=MemoryKind(is_divisible=False), spare=4, batch_tokens=64)
    prefix = list(range(100))
    for last in range(2):
        bench.add([*prefix, 200 + last, 300 + last], new_tokens=1, answers=answers)
    bench.run()
    last_prompt_tokens, drawn = (1 + answers) * 2, 2 * answers
    assert bench.computed_tokens <= len(prefix) + last_prompt_tokens + drawn


def test_requests_of_different_salts_compute_apart():
    bench = Bench(batch_tokens=64)
    for salt in ("a", "b"):
        bench.add(range(50), new_tokens=1, request=msgspec.structs.replace(REQUEST, cache_salt=salt))
    bench.run()
    assert bench.computed_tokens == 2 * 51


def test_more_requests_than_slots_are_served_in_the_order_of_arrival():
    bench = Bench(slots=1, batch_tokens=64)
    sequences = [bench.add([n] * 3, request_id=n)[0] for n in range(3)]
    order = []
    while not bench.scheduler.is_idle:
        order += [sequence for sequence, _ in bench.step() if sequence not in order]
    assert order == sequences


def test_a_full_cache_forgets_idle_prefixes_before_it_stops_anyone():
    bench = Bench()
    bench.add([1, 2, 3], new_tokens=1)
    bench.run()
    (running,) = bench.add([4, 5, 6])
    bench.step()
    assert bench.scheduler.make_room()
    assert (bench.scheduler.running, bench.cells.cells) == ([running], 3)


def test_a_full_cache_makes_the_youngest_start_again_and_it_loses_nothing():
    bench = Bench()
    (old,) = bench.add([1, 2, 3])
    bench.step()
    (young,) = bench.add([4, 5, 6])
    bench.step()
    known = list(young.tokens)
    assert bench.scheduler.make_room()
    assert (bench.scheduler.running, bench.scheduler.waiting, young.tokens) == ([old], [young], known)
    bench.run()
    assert len(young.tokens) == 3 + 4


def test_a_sequence_alone_is_never_stopped_for_room():
    bench = Bench()
    bench.add([1, 2, 3])
    bench.step()
    assert not bench.scheduler.make_room()


@given(
    st.lists(st.tuples(st.lists(st.integers(0, 2), min_size=1, max_size=50), st.integers(0, 3)), max_size=8),
    st.lists(st.sampled_from(["step", "room", "discard"]), max_size=30),
)
def test_whatever_happens_every_sequence_ends_and_every_slot_is_free(prompts, happenings):
    bench = Bench(slots=3)
    sequences = [bench.add(prompt, new_tokens=new)[0] for prompt, new in prompts]
    for number, happening in enumerate(happenings):
        match happening:
            case "step":
                bench.step()
            case "room":
                bench.scheduler.make_room()
            case _ if sequences:
                bench.scheduler.discard(sequences[number % len(sequences)])
    bench.run()
    assert [sequence.slot for sequence in sequences] == [None] * len(sequences)
    assert bench.slots.has_idle


def test_a_seeded_answer_computes_its_prompt_itself_and_its_siblings_share_that():
    seeded = GenerationRequest(model="m", prompt=TextPrompt(text=""), sampling=SamplingParams(seed=1))
    bench = Bench(batch_tokens=64)
    bench.add(range(40), new_tokens=1)
    bench.run()
    bench.computed_tokens = 0
    bench.add(range(40), new_tokens=1, answers=2, request=seeded)
    bench.run()
    assert bench.computed_tokens == 40 + 1 + 2


def of(tenant):
    return GenerationRequest(model="m", prompt=TextPrompt(text=""), tenant=tenant)


def test_one_request_of_a_tenant_does_not_stand_behind_a_hundred_of_another():
    bench = Bench(slots=2, batch_tokens=64)
    crowd = [bench.add([n, n, n], request_id=n, request=of("a"))[0] for n in range(100)]
    bench.step()
    (single,) = bench.add([7, 8, 9], request_id=100, request=of("b"))
    ended = []
    while single.slot is None:
        bench.step()
        ended = [sequence for sequence in crowd if sequence not in bench.scheduler.waiting]
    assert len(ended) <= 3


def test_tenants_that_come_together_get_slots_in_turn():
    bench = Bench(slots=4, batch_tokens=64)
    for tenant in "ab":
        for n in range(4):
            bench.add([n, n, n], request_id=n, request=of(tenant))
    bench.step()
    assert sorted(sequence.tenant for sequence in bench.scheduler.running) == ["a", "a", "b", "b"]


def test_endless_answers_that_hold_every_slot_give_one_up_to_another_tenant_and_lose_nothing():
    bench = Bench(slots=2, batch_tokens=64)
    holders = [bench.add([n, n, n], new_tokens=1500, request_id=n, request=of("a"))[0] for n in range(2)]
    bench.step()
    (single,) = bench.add([7, 8, 9], request_id=2, request=of("b"))
    while single.slot is None:
        bench.step()
    assert all(len(sequence.tokens) < 600 for sequence in holders)
    bench.run()
    assert [len(sequence.tokens) for sequence in (*holders, single)] == [1503, 1503, 7]


def test_a_tenant_that_has_a_slot_takes_none_from_others():
    bench = Bench(slots=2, batch_tokens=64)
    running = [bench.add([n], new_tokens=3000, request_id=n, request=of(t))[0] for n, t in enumerate("ab")]
    bench.step()
    bench.add([7, 8, 9], request_id=2, request=of("a"))
    bench.add([7, 8, 9], request_id=3, request=of("c"))
    for _ in range(2000):
        bench.step()
    assert bench.scheduler.running == running


def test_a_request_for_many_answers_does_not_hold_up_the_next():
    bench = Bench(slots=2, batch_tokens=64)
    many = bench.add([1, 2, 3], answers=10)
    for _ in range(2):
        bench.step()
    (single,) = bench.add([7, 8, 9], request_id=1)
    while single.slot is None:
        bench.step()
    assert sum(sequence in bench.scheduler.waiting for sequence in many) >= 7


def test_a_long_prompt_ends_beside_an_endless_line_of_short_ones():
    bench = Bench(slots=3, batch_tokens=16)
    (long,) = bench.add(range(1000, 1200))
    for n in range(200):
        bench.add([n] * 12, new_tokens=1, request_id=n)
        bench.step()
    assert long.computed == len(long.tokens) or long.slot is None or long.pending == 1


def test_tokens_that_could_only_follow_are_computed_in_the_step_of_the_one_they_follow():
    bench = Bench(batch_tokens=16)
    (answering,) = bench.add(range(4))
    bench.step()
    answering.tokens += range(5)
    assert bench.step() == [(answering, 6)]


def test_tokens_that_could_only_follow_do_not_wait_for_a_prompt_that_came_first():
    bench = Bench(batch_tokens=16)
    (answering,) = bench.add(range(4))
    bench.step()
    bench.add(range(100, 200))
    answering.tokens += range(5)
    assert bench.step()[0] == (answering, 6)


def test_many_answers_with_certain_tokens_share_a_batch():
    bench = Bench(batch_tokens=16)
    answering = [bench.add([base, base + 1, base + 2], request_id=base)[0] for base in (10, 20, 30)]
    bench.step()
    for sequence in answering:
        sequence.tokens += range(9)
    assert bench.step() == [(sequence, 5) for sequence in answering]
