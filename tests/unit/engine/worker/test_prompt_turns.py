"""Prompts are computed beside running answers, or in steps of their own, whichever was measured to take less."""

import itertools

import pytest

from engine.worker.prompt_turns import PromptTurns


def run(turns, pieces, *, in_turn, beside):
    """Compute pieces of which a token takes so long either way; whether each had a step of its own."""
    ways = []
    for _ in range(pieces):
        ways.append(turns.takes_turns)
        turns.note(in_turn if turns.takes_turns else beside, in_turn=turns.takes_turns)
    return ways


@pytest.mark.parametrize(("in_turn", "beside"), [(4, 5), (5, 4)])
def test_nearly_all_pieces_are_computed_the_cheaper_way(in_turn, beside):
    ways = run(PromptTurns(), 300, in_turn=in_turn, beside=beside)
    assert ways.count(in_turn < beside) >= 290


def test_the_other_way_is_tried_ever_more_rarely_but_again_and_again():
    tried = [number for number, own in enumerate(run(PromptTurns(), 400, in_turn=4, beside=5)) if not own]
    pauses = [later - earlier for earlier, later in itertools.pairwise(tried)]
    assert pauses == sorted(pauses)
    assert max(pauses) == 65


def test_what_becomes_cheaper_is_taken_from_then_on():
    turns = PromptTurns()
    run(turns, 300, in_turn=4, beside=5)
    ways = run(turns, 300, in_turn=4, beside=3)
    assert ways.count(False) >= 220


def test_a_step_of_its_own_comes_first_and_the_other_way_is_tried_next():
    assert run(PromptTurns(), 2, in_turn=4, beside=5) == [True, False]
