"""Whoever had least goes first, but nobody saves up while away."""

from engine.worker.fairness import FairShare


def test_work_is_counted_for_each_tenant():
    share = FairShare()
    share.join("a", [])
    share.join("b", ["a"])
    share.charge("a", 5)
    assert (share.of("a"), share.of("b")) == (5, 0)


def test_who_comes_in_starts_where_the_one_with_least_is():
    share = FairShare()
    share.join("a", [])
    share.join("b", ["a"])
    share.charge("a", 100)
    share.charge("b", 70)
    share.join("c", ["a", "b"])
    assert share.of("c") == 70


def test_who_had_more_and_comes_back_is_still_counted_it():
    share = FairShare()
    share.join("a", [])
    share.join("b", ["a"])
    share.charge("a", 100)
    share.join("a", ["b"])
    assert share.of("a") == 100


def test_history_ends_where_nobody_has_work():
    share = FairShare()
    share.join("a", [])
    share.charge("a", 100)
    share.join("a", [])
    assert share.of("a") == 0
