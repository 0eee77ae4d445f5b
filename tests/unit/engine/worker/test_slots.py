"""Slots hand out places in the KV cache and never disagree with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engine.worker.slots import Slot, Slots, common_prefix_length
from tests.unit.engine.worker.kv_cells import TableKvCells

tokens_of_few_kinds = st.lists(st.integers(0, 2), min_size=1, max_size=12)


def compute(slots: Slots, cells: TableKvCells, slot: Slot, tokens: list[int]) -> None:
    """What the generator does with a slot that was acquired for `tokens`."""
    missing = tokens[len(slot.tokens) :]
    cells.compute(slot.number, len(missing))
    slots.advance(slot, missing)


def filled(cells: TableKvCells, *contents: list[int], shares_prefixes: bool = True) -> Slots:
    """Slots which hold these tokens, all idle."""
    slots = Slots(cells, len(contents), shares_prefixes=shares_prefixes)
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


def test_the_last_token_of_a_fully_cached_prompt_is_computed_again():
    slots = filled(TableKvCells(), [1, 2, 3])
    slot = slots.acquire([1, 2, 3])
    assert slot is not None
    assert slot.tokens == [1, 2]


def test_a_short_common_prefix_is_copied_and_the_longer_conversation_kept():
    cells = TableKvCells()
    slots = Slots(cells, 2, shares_prefixes=True)
    first = slots.acquire([1, 2, 3, 4, 5, 6])
    assert first is not None
    compute(slots, cells, first, [1, 2, 3, 4, 5, 6])
    slots.release(first)
    second = slots.acquire([1, 2, 9])
    assert second is not None
    assert (second.number, second.tokens, first.tokens) == (1, [1, 2], [1, 2, 3, 4, 5, 6])


def test_the_prefix_of_a_running_sequence_is_shared_without_new_cells():
    cells = TableKvCells()
    slots = Slots(cells, 2, shares_prefixes=True)
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
    slots = Slots(TableKvCells(), 1, shares_prefixes=True)
    assert slots.acquire([1]) is not None
    assert slots.acquire([1]) is None


def test_a_memory_without_partial_removal_is_only_ever_continued():
    cells = TableKvCells(removes_partially=False)
    slots = filled(cells, [1, 2, 3], shares_prefixes=False)
    slot = slots.acquire([1, 2, 9])
    assert slot is not None
    assert slot.tokens == []
    slots.check_integrity()


def test_a_memory_without_partial_removal_continues_what_it_holds_whole():
    slots = filled(TableKvCells(removes_partially=False), [1, 2, 3], shares_prefixes=False)
    slot = slots.acquire([1, 2, 3, 4])
    assert slot is not None
    assert slot.tokens == [1, 2, 3]


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

    def __init__(self) -> None:
        super().__init__()
        self.cells = TableKvCells()
        self.slots = Slots(self.cells, 3, shares_prefixes=True)
        self.busy: list[tuple[Slot, list[int]]] = []

    @rule(tokens=tokens_of_few_kinds)
    def acquire(self, tokens: list[int]) -> None:
        slot = self.slots.acquire(tokens)
        assert (slot is None) == (len(self.busy) == 3)
        if slot is not None:
            assert slot.tokens == tokens[: len(slot.tokens)]
            assert len(slot.tokens) < len(tokens)
            self.busy.append((slot, tokens))

    @precondition(lambda self: self.busy)
    @rule(data=st.data())
    def compute_some(self, data: st.DataObject) -> None:
        slot, tokens = data.draw(st.sampled_from(self.busy))
        count = data.draw(st.integers(0, len(tokens) - len(slot.tokens)))
        compute(self.slots, self.cells, slot, tokens[: len(slot.tokens) + count])

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


TestSlotLife = SlotLife.TestCase


def test_clearing_forgets_also_cells_that_a_failed_step_left():
    cells = TableKvCells()
    slots = Slots(cells, 2, shares_prefixes=True)
    slot = slots.acquire([1, 2, 3])
    cells.compute(slot.number, 2)
    slots.clear_all()
    slots.check_integrity()
    assert cells.cells == 0
