"""Patience ends with silence while there is work, and not because the server itself was away."""

import asyncio

from engine.host.watchdog import Patience, Watchdog


class Watched:
    """A watchdog with a patience of `silence_seconds`, what it asked, and why it gave up."""

    def __init__(self, silence_seconds=0.1):
        self.asked = 0
        self.reasons = []
        patience = Patience(silence_seconds=silence_seconds, step_seconds=60)
        self.watchdog = Watchdog(patience, self.ask, self.reasons.append)
        self.answers = False
        self.has_work = True

    def ask(self):
        self.asked += 1
        if self.answers:
            self.watchdog.hear()


async def test_silence_ends_it_once():
    watched = Watched()
    watched.watchdog.watch(lambda: True)
    await asyncio.sleep(0.4)
    assert watched.reasons == ["gave no sign of life for 0.1 seconds and was ended"]


async def test_who_answers_is_asked_again_and_again():
    watched = Watched()
    watched.answers = True
    watched.watchdog.watch(lambda: True)
    await asyncio.sleep(0.4)
    watched.watchdog.stop()
    assert (watched.reasons, watched.asked > 5) == ([], True)


async def test_without_work_nobody_is_asked():
    watched = Watched()
    watched.watchdog.watch(lambda: False)
    await asyncio.sleep(0.3)
    assert (watched.reasons, watched.asked) == ([], 0)


async def test_nobody_is_asked_with_the_work_itself():
    watched = Watched(silence_seconds=10)
    watched.watchdog.watch(lambda: True)
    assert watched.asked == 0
    watched.watchdog.stop()


async def test_time_in_which_the_server_itself_stood_still_does_not_count():
    watched = Watched(silence_seconds=10)
    watched.watchdog.watch(lambda: True)
    watched.watchdog._tick()  # late, by any amount: it is one tick all the same
    assert watched.reasons == []
    watched.watchdog.stop()


async def test_a_step_that_takes_too_long_ends_it_although_it_answers():
    watched = Watched(silence_seconds=10)
    watched.watchdog.watch(lambda: True)
    watched.watchdog.hear_of_step(59)
    assert watched.reasons == []
    watched.watchdog.hear_of_step(61)
    assert watched.reasons == ["took more than 60 seconds for one step and was ended"]
