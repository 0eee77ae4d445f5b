"""Steps of preparing are done in turn: between keys by what they took, between a key's requests one after the other."""

import threading
import time
from contextlib import suppress

import pytest

from engine.worker.media_turns import MediaTurns, in_one_go
from engine.worker.tally import Tally


class Line:
    """Turns that note who has had a step. The first begins when all are in line, at `release`."""

    def __init__(self):
        self.had = []
        self.given_up = []
        self.wanted = {0}
        self.tally = Tally()
        self.turns = MediaTurns(self.tally, self.wanted.__contains__, clock=lambda: self._now_ns)
        self.at_work = threading.Event()
        self._now_ns = 0
        self._may_go = threading.Event()
        self._ended = threading.Semaphore(0)
        self.turns.submit(0, "first in line", self._gate())
        assert self.at_work.wait(timeout=10)

    def _gate(self):
        self.at_work.set()
        assert self._may_go.wait(timeout=10)
        yield from ()

    @staticmethod
    def nothing():
        """No step."""
        yield from ()

    def submit(self, request_id, tenant, *microseconds, then=lambda: None):
        """A request whose steps take so long each, and do something."""
        self.wanted.add(request_id)
        self.turns.submit(request_id, tenant, self._steps(request_id, microseconds, then))

    def _steps(self, request_id, microseconds, then):
        is_whole = False
        try:
            for cost in microseconds:
                self._now_ns += cost * 1000
                self.had.append(request_id)
                then()
                yield
            is_whole = True
        finally:
            if not is_whole:
                self.given_up.append(request_id)
            self._ended.release()

    def release(self, requests):
        """Let them go on until so many requests have ended; who had steps, in order."""
        self._may_go.set()
        for _ in range(requests):
            assert self._ended.acquire(timeout=10)
        return self.had


@pytest.fixture
def line():
    line = Line()
    yield line
    line.release(0)
    line.turns.close()


def test_a_keys_one_picture_does_not_wait_for_anothers_hundred(line):
    line.submit(1, "many", *[5] * 100)
    line.submit(2, "one", 5)
    assert 2 in line.release(requests=2)[:3]


def test_keys_get_equal_times_and_not_equal_numbers(line):
    line.submit(1, "large", *[100] * 10)
    line.submit(2, "small", *[9] * 50)
    had = line.release(requests=2)
    assert had[:22].count(2) >= 15


def test_who_comes_in_later_gets_no_more_than_an_equal_share_from_then_on(line):
    line.submit(1, "a", *[5] * 20)
    line.submit(2, "b", *[5] * 20)
    had = line.release(requests=2)
    assert all(abs(had[:count].count(1) - had[:count].count(2)) <= 2 for count in range(1, 41))


def test_a_keys_requests_take_turns(line):
    line.submit(1, "a", 5, 5, 5)
    line.submit(2, "a", 5)
    line.submit(3, "a", 5, 5)
    assert line.release(requests=3) == [1, 2, 3, 1, 3, 1]


def test_only_a_few_of_a_keys_requests_are_begun_at_once(line):
    for request_id in range(20):
        line.submit(request_id, "a", 5, 5)
    had = line.release(requests=20)
    assert set(had[:16]) == set(range(8))
    assert sorted(had) == sorted([*range(20)] * 2)


def test_a_cancelled_request_gives_up_between_two_steps(line):
    line.submit(1, "a", *[5] * 100, then=lambda: line.wanted.discard(1))
    line.submit(2, "a", 5)
    assert line.release(requests=2) == [1, 2]
    assert line.given_up == [1]


def test_a_step_that_fails_costs_nobody_else_theirs(line):
    def fail():
        raise ZeroDivisionError("a fault of this program")

    line.submit(1, "a", 5, 5)
    line.submit(2, "a", 5, 5, then=fail)
    line.submit(3, "a", 5)
    assert line.release(requests=3) == [1, 2, 3, 1]


def test_at_the_end_what_is_not_done_gives_up(line):
    closing = threading.Thread(target=line.turns.close)

    def close_meanwhile():
        closing.start()
        with suppress(RuntimeError):  # nothing more is taken
            while True:
                line.turns.submit(2, "a", line.nothing())
                time.sleep(0.001)

    line.submit(1, "a", 5, 5, then=close_meanwhile)
    assert line.release(requests=1) == [1]
    closing.join(timeout=10)
    assert line.given_up == [1]


def test_a_step_under_way_has_an_age(line):
    assert line.tally.step_age_seconds > 0
    line.release(0)
    line.turns.close()
    assert line.tally.step_age_seconds == 0


def test_in_one_go_nobody_comes_between():
    def steps():
        yield
        yield
        return "prepared"

    assert in_one_go(steps()) == "prepared"
