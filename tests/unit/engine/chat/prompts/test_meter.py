"""The meter counts what would be written out, and ends what takes too long."""

import pytest

from engine.chat.prompts.meter import VALUE_LIMIT, Meter, OutOfBounds, weigh


def test_a_value_weighs_its_characters_and_elements() -> None:
    assert weigh("abc") == 3
    assert weigh(7) == 1
    assert weigh(["ab", {"k": "v"}]) == 1 + 2 * 8 + 2 + 2 * 8 + 1 + 1


def test_what_is_in_a_value_twice_weighs_twice() -> None:
    inner = ["x" * 1000]
    assert weigh([inner, inner]) - weigh([inner]) >= 1000


def test_a_small_value_that_would_be_vast_in_writing_is_refused() -> None:
    value: list[object] = []
    for _ in range(60):
        value = [value, value]
    with pytest.raises(OutOfBounds, match=f"{VALUE_LIMIT:,}"):
        weigh(value)


def test_parts_that_may_not_be_there_are_named() -> None:
    with pytest.raises(TypeError, match="a set is no text"):
        weigh([1, {2}], only=(int, list))


def spend(meter: Meter, *, weight: int, times: int) -> None:
    for _ in range(times):
        meter.spend(weight)


def test_time_is_the_threads_own() -> None:
    with pytest.raises(OutOfBounds, match=r"more than 0\.05 s"):
        spend(Meter(0.05), weight=0, times=10_000_000)


def test_the_sum_of_all_that_is_made_is_bounded() -> None:
    with pytest.raises(OutOfBounds, match="characters on the way"):
        spend(Meter(60), weight=VALUE_LIMIT, times=1000)
