"""Steps of preparing are done in turn: between keys by what they took, between a key's requests one after the other."""

import threading

import pytest

from engine.worker.media_turns import MediaTurns, in_one_go
from engine.worker.tally import Tally


class Line:
    """Turns that note which request has had a step. Nothing is done before `release`."""

    def __init__(self):
        self.had = []
        self.given_up = []
        self.wanted = set()
        self.tally = Tally()
        self.turns = MediaTurns(self.tally, self.wanted.__contains__, clock=lambda: self._now_ns)
        self._now_ns = 0
        self._may_go = threading.Event()
        self.at_work = threading.Event()
        self._ended = threading.Semaphore(0)

    def submit(self, request_id, tenant, *microseconds):
        """A request whose steps take so long each."""
        self.wanted.add(request_id)
        self.turns.submit(request_id, tenant, self._steps(request_id, microseconds))

    def _steps(self, request_id, microseconds):
        is_whole = False
        try:
            for cost in microseconds:
                self.at_work.set()
                assert self._may_go.wait(timeout=10)
                self._now_ns += cost * 1000
                self.had.append(request_id)
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
    line.submit(1, "a", *[5] * 100)
    line.submit(2, "a", 5)
    assert line.at_work.wait(timeout=10)
    line.wanted.discard(1)
    assert line.release(requests=2) == [1, 2]
    assert line.given_up == [1]


def test_at_the_end_what_is_not_done_gives_up(line):
    line.submit(1, "a", *[5] * 100)
    assert line.at_work.wait(timeout=10)
    closing = threading.Thread(target=line.turns.close)
    closing.start()
    line.release(requests=1)
    closing.join(timeout=10)
    assert line.given_up == [1]
    assert len(line.had) < 100


def test_a_step_under_way_has_an_age(line):
    assert line.tally.step_age_seconds == 0
    line.submit(1, "a", 5)
    assert line.at_work.wait(timeout=10)
    assert line.tally.step_age_seconds > 0
    line.release(requests=1)


def test_in_one_go_nobody_comes_between():
    def steps():
        yield
        yield
        return "prepared"

    assert in_one_go(steps()) == "prepared"
