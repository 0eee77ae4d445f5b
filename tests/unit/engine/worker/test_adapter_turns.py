"""Sequences with different adapters take turns; those with the same share them."""

import itertools
from types import SimpleNamespace

from engine.worker.adapter_turns import AdapterTurns


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def sequences(*keys):
    return [SimpleNamespace(adapters_key=key) for key in keys]


def test_sequences_with_the_same_adapters_are_computed_together():
    running = sequences("a", "a", "a")
    assert AdapterTurns(Clock()).of(running) is running
    assert AdapterTurns(Clock()).of([]) == []


def test_a_step_has_one_choice_of_adapters_only_and_all_of_its_sequences():
    running = sequences("", "a", "", "a")
    turn = AdapterTurns(Clock()).of(running)
    assert turn in ([running[0], running[2]], [running[1], running[3]])


def test_a_turn_lasts_a_while_and_then_is_the_next_ones_until_each_had_one():
    clock = Clock()
    turns, running = AdapterTurns(clock), sequences("a", "", "b")
    seen = []
    for _ in range(600):
        (one,) = turns.of(running)
        seen.append(one.adapters_key)
        clock.now += 1 / 64
    changes = sum(a != b for a, b in itertools.pairwise(seen))
    assert all(190 <= seen.count(key) <= 210 for key in ("", "a", "b"))
    assert 80 <= changes <= 90


def test_a_turn_ends_when_its_last_sequence_does():
    turns = AdapterTurns(Clock())
    running = sequences("a", "b")
    (first,) = turns.of(running)
    others = [item for item in running if item is not first]
    assert turns.of([*others, *sequences("c")])[0].adapters_key != first.adapters_key


def test_none_is_passed_over_while_others_come_and_go():
    clock = Clock()
    turns, patient = AdapterTurns(clock), SimpleNamespace(adapters_key="m")
    for number in range(3):
        turn = turns.of([patient, *sequences(f"a{number}", f"z{number}")])
        clock.now += 1
        if patient in turn:
            return
    raise AssertionError("it had no turn")
