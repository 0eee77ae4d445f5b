"""Slots hand out places in the KV cache and never disagree with it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engine.worker.prefix_store import PrefixStore
from engine.worker.prefixes import MemoryKind, common_prefix_length
from engine.worker.slots import Slot, Slots
from tests.unit.engine.worker.kv_cells import TableKvCells

INDIVISIBLE = MemoryKind(is_divisible=False)
LONG = list(range(100))

tokens_of_few_kinds = st.lists(st.integers(0, 2), min_size=1, max_size=12)


def compute(slots: Slots, cells: TableKvCells, slot: Slot, tokens: list[int]) -> None:
    """What the generator does with a slot that was acquired for `tokens`."""
    missing = tokens[len(slot.tokens) :]
    cells.compute(slot.number, len(missing))
    slots.advance(slot, missing)


def filled(cells: TableKvCells, *contents: list[int], **options: Any) -> Slots:
    """Slots which hold these tokens, all idle."""
    slots = Slots(cells, len(contents), **options)
    acquired = [slots.acquire(tokens, reuse=False) for tokens in contents]
    for slot, tokens in zip(acquired, contents, strict=True):
        assert slot is not None
        compute(slots, cells, slot, tokens)
    for slot in acquired:
        assert slot is not None
        slots.release(slot)
    return slots


def test_the_next_turn_of_a_conversation_continues_in_its_own_slot():
    cells = TableKvCells()
    slots = filled(cells, [1, 2, 3, 4], [9, 9])
    slot = slots.acquire([1, 2, 3, 4, 5, 6])
    assert slot is not None
    assert (slot.number, slot.tokens) == (0, [1, 2, 3, 4])


def test_idle_state_that_only_makes_attention_slow_is_moved_and_found_again():
    store = PrefixStore(1 << 20, MemoryKind(), token_seconds=lambda: None)
    older, newer = [[kind] * 400 for kind in (1, 2)]
    slots = filled(TableKvCells(), older, newer, store=store)
    assert [len(slot.tokens) for slot in slots] == [0, 400]
    slot = slots.acquire([*older, 3])
    assert slot is not None
    assert len(slot.tokens) == 400


def test_the_last_token_of_a_fully_cached_prompt_is_computed_again():
    slots = filled(TableKvCells(), [1, 2, 3])
    slot = slots.acquire([1, 2, 3])
    assert slot is not None
    assert slot.tokens == [1, 2]


def test_a_short_common_prefix_is_copied_and_the_longer_conversation_kept():
    cells = TableKvCells()
    slots = Slots(cells, 2)
    first = slots.acquire([1, 2, 3, 4, 5, 6])
    assert first is not None
    compute(slots, cells, first, [1, 2, 3, 4, 5, 6])
    slots.release(first)
    second = slots.acquire([1, 2, 9])
    assert second is not None
    assert (second.number, second.tokens, first.tokens) == (1, [1, 2], [1, 2, 3, 4, 5, 6])


def test_the_prefix_of_a_running_sequence_is_shared_without_new_cells():
    cells = TableKvCells()
    slots = Slots(cells, 2)
    first = slots.acquire([1, 2, 3, 4])
    assert first is not None
    compute(slots, cells, first, [1, 2, 3, 4])
    second = slots.acquire([1, 2, 3, 4])
    assert second is not None
    assert (second.tokens, cells.cells) == ([1, 2, 3], 4)


def test_the_slot_used_longest_ago_is_overwritten_first():
    slots = filled(TableKvCells(), [1, 1], [2, 2], [3, 3])
    for tokens in ([1, 1, 1], [3, 3, 3]):
        slot = slots.acquire(tokens)
        assert slot is not None
        slots.release(slot)
    slot = slots.acquire([7, 7])
    assert slot is not None
    assert slot.number == 1


def test_no_slot_is_given_while_all_are_busy():
    slots = Slots(TableKvCells(), 1)
    assert slots.acquire([1]) is not None
    assert slots.acquire([1]) is None


def test_an_indivisible_memory_gives_no_part_of_what_it_holds():
    cells = TableKvCells(removes_partially=False)
    slots = filled(cells, [1, 2, 3], memory=INDIVISIBLE)
    slot = slots.acquire([1, 2, 9])
    assert slot is not None
    assert slot.tokens == []
    slots.check_integrity()


def test_an_indivisible_memory_continues_what_it_holds_whole():
    slots = filled(TableKvCells(removes_partially=False), [1, 2, 3], memory=INDIVISIBLE)
    slot = slots.acquire([1, 2, 3, 4])
    assert slot is not None
    assert slot.tokens == [1, 2, 3]


def test_an_indivisible_memory_is_resumed_where_its_state_was_worth_keeping():
    cells = TableKvCells(removes_partially=False)
    slots = Slots(cells, 1, spare=1, memory=INDIVISIBLE)
    slot = slots.acquire(LONG, stops=[60])
    assert slot is not None
    assert slot.reach(100) == 60
    compute(slots, cells, slot, LONG[:60])
    compute(slots, cells, slot, LONG)
    slots.release(slot)
    again = slots.acquire([*LONG[:60], 7, 7])
    assert again is not None
    assert again.tokens == LONG[:60]
    slots.check_integrity()


def test_state_that_was_kept_on_purpose_stays_for_the_next_who_wants_it():
    cells = TableKvCells(removes_partially=False)
    slots = Slots(cells, 1, spare=2, memory=INDIVISIBLE)
    for last in range(3):
        tokens = [*LONG, 200 + last, 300 + last]
        slot = slots.acquire(tokens, stops=[100])
        assert slot is not None
        assert len(slot.tokens) == (100 if last else 0)
        while len(slot.tokens) < len(tokens):
            compute(slots, cells, slot, tokens[: len(slot.tokens) + slot.reach(len(tokens))])
        slots.release(slot)


def test_an_indivisible_memory_learns_from_the_second_what_the_third_will_share():
    cells = TableKvCells(removes_partially=False)
    slots = Slots(cells, 1, spare=2, memory=INDIVISIBLE)
    held = []
    for last in range(3):
        tokens = [*LONG, 200 + last, 300 + last]
        slot = slots.acquire(tokens)
        assert slot is not None
        held.append(len(slot.tokens))
        while len(slot.tokens) < len(tokens):
            compute(slots, cells, slot, tokens[: len(slot.tokens) + slot.reach(len(tokens))])
        slots.release(slot)
    assert held == [0, 0, 100]


def test_a_window_whose_older_positions_are_overwritten_can_not_be_cut_back():
    cells = TableKvCells(window_tokens=10)
    slots = filled(cells, LONG, memory=MemoryKind(window_tokens=10))
    assert slots.cached_prefix_length(LONG[:50]) == 0
    assert slots.cached_prefix_length(LONG) == 99
    assert slots.cached_prefix_length([*LONG, 1]) == 100


def test_state_is_shared_within_a_salt_only():
    slots = filled(TableKvCells(), LONG)
    assert slots.cached_prefix_length(LONG, salt="other") == 0
    other = slots.acquire(LONG, salt="other")
    assert other is not None
    assert other.tokens == []


def test_no_more_slots_are_busy_than_may_be_at_once():
    slots = Slots(TableKvCells(), 1, spare=1)
    assert slots.acquire([1]) is not None
    assert not slots.has_idle
    assert slots.acquire([2]) is None


def test_what_has_to_go_comes_back_when_it_is_wanted_again():
    cells = TableKvCells(capacity=250)
    store = PrefixStore(1 << 20, MemoryKind(), token_seconds=lambda: None)
    slots = Slots(cells, 1, store=store)
    for tokens in (LONG, list(range(500, 600))):
        slot = slots.acquire(tokens)
        assert slot is not None
        compute(slots, cells, slot, tokens)
        slots.release(slot)
    again = slots.acquire([*LONG, 7])
    assert again is not None
    assert again.tokens == LONG
    assert store.activity().hits == 1
    slots.check_integrity()


def test_nothing_comes_back_where_busy_sequences_leave_no_room():
    cells = TableKvCells(capacity=150)
    slots = Slots(cells, 2, store=PrefixStore(1 << 20, MemoryKind(), token_seconds=lambda: None))
    slot = slots.acquire(LONG)
    assert slot is not None
    compute(slots, cells, slot, LONG)
    slots.release(slot)
    assert slots.evict_idle()
    busy = slots.acquire(list(range(500, 600)))
    assert busy is not None
    compute(slots, cells, busy, list(range(500, 600)))
    other = slots.acquire(LONG)
    assert other is not None
    assert other.tokens == []


def test_eviction_forgets_idle_state_only():
    slots = filled(TableKvCells(), [1, 2, 3], [4, 5, 6])
    busy = slots.acquire([1, 2, 3, 4])
    assert busy is not None
    assert (slots.evict_idle(), slots.evict_idle(), busy.tokens) == (True, False, [1, 2, 3])


def test_disagreement_with_the_kv_cells_is_noticed():
    cells = TableKvCells()
    slots = filled(cells, [1, 2, 3])
    cells.compute(0, 1)
    with pytest.raises(AssertionError, match="4 KV positions"):
        slots.check_integrity()


@given(tokens_of_few_kinds, tokens_of_few_kinds)
def test_the_common_prefix_is_as_long_as_a_plain_loop_finds_it(a: list[int], b: list[int]):
    expected = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    assert common_prefix_length(a, b) == expected


class SlotLife(RuleBasedStateMachine):
    """Any series of acquire, compute, release, clear and evict leaves slots and KV cells in agreement."""

    memory = MemoryKind()

    def __init__(self) -> None:
        super().__init__()
        self.cells = TableKvCells(removes_partially=self.memory.is_divisible, window_tokens=self.memory.window_tokens)
        store = PrefixStore(1 << 20, self.memory, token_seconds=lambda: None)
        self.slots = Slots(self.cells, 3, spare=2, memory=self.memory, store=store)
        self.busy: list[tuple[Slot, list[int]]] = []

    @rule(tokens=tokens_of_few_kinds, repeats=st.sampled_from([1, 30]), salt=st.sampled_from(["", "a"]))
    def acquire(self, tokens: list[int], repeats: int, salt: str) -> None:
        tokens = tokens * repeats
        slot = self.slots.acquire(tokens, salt=salt, stops=[len(tokens) // 2])
        assert (slot is None) == (len(self.busy) == 3)
        if slot is not None:
            assert slot.tokens == tokens[: len(slot.tokens)]
            assert slot.salt == salt
            assert len(slot.tokens) < len(tokens)
            self.busy.append((slot, tokens))

    @precondition(lambda self: self.busy)
    @rule(data=st.data())
    def compute_some(self, data: st.DataObject) -> None:
        slot, tokens = data.draw(st.sampled_from(self.busy))
        count = slot.reach(data.draw(st.integers(0, len(tokens) - len(slot.tokens))))
        compute(self.slots, self.cells, slot, tokens[: len(slot.tokens) + count])

    @rule(tokens=tokens_of_few_kinds)
    def compute_whole(self, tokens: list[int]) -> None:
        """What gives the store something to keep: longer than it takes to be found again."""
        tokens = tokens * 30
        slot = self.slots.acquire(tokens)
        if slot is not None:
            compute(self.slots, self.cells, slot, tokens)
            self.slots.release(slot)

    @precondition(lambda self: self.busy)
    @rule(data=st.data())
    def expect(self, data: st.DataObject) -> None:
        slot, tokens = data.draw(st.sampled_from(self.busy))
        self.slots.expect(slot, data.draw(st.integers(0, len(tokens) - 1)))

    @precondition(lambda self: self.busy)
    @rule(data=st.data(), clear=st.booleans())
    def release(self, data: st.DataObject, clear: bool) -> None:
        entry = data.draw(st.sampled_from(self.busy))
        self.busy.remove(entry)
        if clear:
            self.slots.clear(entry[0])
        self.slots.release(entry[0])

    @rule()
    def evict(self) -> None:
        self.slots.evict_idle()

    @invariant()
    def agrees_with_the_cells(self) -> None:
        self.slots.check_integrity()


class IndivisibleSlotLife(SlotLife):
    memory = INDIVISIBLE


class WindowSlotLife(SlotLife):
    memory = MemoryKind(window_tokens=5)


TestSlotLife = SlotLife.TestCase
TestIndivisibleSlotLife = IndivisibleSlotLife.TestCase
TestWindowSlotLife = WindowSlotLife.TestCase
for life in (TestSlotLife, TestIndivisibleSlotLife, TestWindowSlotLife):
    life.settings = settings(max_examples=30, stateful_step_count=30)


def test_clearing_forgets_also_cells_that_a_failed_step_left():
    cells = TableKvCells()
    slots = Slots(cells, 2)
    slot = slots.acquire([1, 2, 3])
    cells.compute(slot.number, 2)
    slots.clear_all()
    slots.check_integrity()
    assert cells.cells == 0
