"""What is shown of the cache counts what lies in it, shared beginnings once."""

from engine.histogram import Histogram
from engine.worker.observing import distinct_tokens
from engine.worker.tally import Tally


def test_a_shared_beginning_counts_once():
    assert distinct_tokens([("", [1, 2, 3]), ("", [1, 2, 4, 5]), ("", [])]) == 3 + 2


def test_another_salt_shares_nothing():
    assert distinct_tokens([("a", [1, 2]), ("b", [1, 2])]) == 4


def test_a_histogram_counts_values_up_to_each_bound():
    histogram = Histogram(bounds=(1, 10))
    for value in (0.5, 1, 5, 100):
        histogram.add(value)
    assert (histogram.counts, histogram.count, histogram.sum) == ([2, 1, 1], 4, 106.5)


def test_time_is_counted_where_it_was_spent_and_a_step_has_an_age_while_it_lasts():
    tally = Tally()
    with tally.step(), tally.timing("decode"):
        while not tally.step_age_seconds:
            pass
    assert tally.step_seconds.decode > 0 == tally.step_seconds.emit == tally.step_age_seconds
