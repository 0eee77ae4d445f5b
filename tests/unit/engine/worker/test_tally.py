"""What a step's time went into adds up, whichever part happens inside another."""

import time

from engine.worker.tally import Tally


def test_time_inside_two_parts_counts_for_the_inner_one_alone():
    tally = Tally()
    began = time.perf_counter()
    with tally.timing("sample"):
        with tally.timing("emit"):
            time.sleep(0.02)
        with tally.timing("emit"):
            time.sleep(0.01)
    whole = time.perf_counter() - began
    spent = tally.step_seconds
    assert spent.emit >= 0.03
    assert 0 <= spent.sample <= whole - spent.emit
