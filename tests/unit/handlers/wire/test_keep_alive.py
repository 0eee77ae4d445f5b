"""Keep-alive times in seconds and in Go's notation."""

from typing import Any

import pytest

from handlers.wire.keep_alive import FOR_EVER_SECONDS, parse_keep_alive
from handlers.wire.refusal import InvalidParameter


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (0, 0), (300, 300), (0.5, 0.5), ("0", 0), ("-0", 0), ("5m", 300), ("1h30m", 5400), ("300ms", 0.3),
        ("1.5h", 5400), (".5s", 0.5), ("+2s", 2), ("0s", 0), ("1h0m1s", 3601), ("10us", 1e-5), ("10µs", 1e-5), ("10ns", 1e-8),
    ],
)  # fmt: skip
def test_times_become_seconds(value: Any, seconds: float) -> None:
    assert parse_keep_alive(value) == pytest.approx(seconds)


@pytest.mark.parametrize("value", [-1, -0.5, "-5m", "-1ns"])
def test_every_negative_time_is_for_ever(value: Any) -> None:
    assert parse_keep_alive(value) == FOR_EVER_SECONDS


def test_none_leaves_it_to_the_server() -> None:
    assert parse_keep_alive(None) is None


@pytest.mark.parametrize(
    "value",
    ["", "m", "5 m", "5x", "m5", "1h-5m", "five", "5mm5", "5", "-1", "300", "1.5", "00", "--5m", "inf", "٣s", "5m\n"],
)
def test_what_is_no_time_is_refused(value: str) -> None:
    with pytest.raises(InvalidParameter, match="expected a number of seconds, or a duration such as '5m'") as refusal:
        parse_keep_alive(value)
    assert refusal.value.param == "keep_alive"


@pytest.mark.parametrize("value", [1e10, "3000000h", "9" * 400 + "s", -1e10])
def test_longer_than_go_can_count_is_refused(value: Any) -> None:
    with pytest.raises(InvalidParameter, match="292 years"):
        parse_keep_alive(value)
