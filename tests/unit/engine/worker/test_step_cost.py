"""What a step costs by its width, and at which width it is computed."""

import pytest

from engine.worker.step_cost import WIDEST_ROWS, StepCost


def by_fours(rows):
    """A machine that takes four rows as one."""
    return rows // 4 + rows % 4 * 0.5 + 0.1


def linear(rows):
    """A machine that has nothing to gain from width."""
    return float(rows)


def widths(rows, seconds, steps=10):
    """At which widths steps of so many rows are computed one after the other."""
    cost, computed = StepCost(), []
    for _ in range(steps):
        computed.append(cost.padded(rows))
        cost.note(computed[-1], seconds(computed[-1]))
    return computed


def test_a_step_is_padded_once_that_was_tried_and_found_cheaper():
    assert widths(3, by_fours) == [3] + [4] * 9


def test_a_step_is_not_padded_where_padding_was_tried_and_found_dearer():
    assert widths(3, linear) == [3, 4] + [3] * 8


def test_a_single_answer_is_computed_as_it_is_whatever_that_costs():
    assert widths(1, lambda rows: 1 / rows) == [1] * 10


@pytest.mark.parametrize("rows", [4, 8, WIDEST_ROWS, WIDEST_ROWS + 1])
def test_steps_of_a_good_width_or_a_great_one_are_computed_as_they_are(rows):
    assert widths(rows, by_fours, steps=3) == [rows] * 3


def test_what_was_found_is_looked_at_again_after_a_while():
    cost = StepCost()
    cost.note(3, 2.0)
    cost.note(4, 1.0)
    for _ in range(300):
        cost.note(8, 3.0)
    assert cost.padded(3) == 3
    cost.note(3, 0.5)
    assert cost.padded(3) == 4
    cost.note(4, 4.0)
    cost.note(4, 4.0)
    assert cost.padded(3) == 3


def test_a_padded_step_costs_what_the_wider_one_costs():
    cost = StepCost()
    cost.note(3, 2.0)
    cost.note(4, 1.0)
    assert cost.seconds(3) == 1.0
