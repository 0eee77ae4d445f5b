"""A prompt beside running answers is cut into pieces that take about the wanted time, whatever the machine does."""

import random
from statistics import median

import pytest

from engine.worker.pacing import StepPace


class Machine:
    """Takes `base` seconds for a step and `each` for every token of it, so that prompts are best computed beside answers."""

    def __init__(self, *, base=0.015, each=0.004, target_seconds=0.3, batch_tokens=512):
        self.base, self.each = base, each
        self.pace = StepPace(target_seconds=target_seconds, batch_tokens=batch_tokens)

    def seconds(self, tokens):
        return self.base + self.each * tokens

    def answer(self, steps=5):
        for _ in range(steps):
            self.pace.note(answer_tokens=1, prompt_tokens=0, seconds=self.seconds(1))

    def run(self, prompt_tokens):
        """How long a running answer halted for each piece of a prompt."""
        halts = []
        while prompt_tokens > 0:
            in_turn = self.pace.takes_turns
            if in_turn:
                self.answer(1)
            count = min(self.pace.prompt_tokens(1), prompt_tokens)
            prompt_tokens -= count
            beside = 0 if in_turn else 1
            seconds = self.seconds(count + beside)
            self.pace.note(answer_tokens=beside, prompt_tokens=count, seconds=seconds, answers_wait=in_turn)
            halts.append(seconds + self.seconds(1) * in_turn)
        return halts


def test_without_running_answers_a_prompt_gets_the_whole_batch():
    assert StepPace(target_seconds=0.001, batch_tokens=512).prompt_tokens(0) == 512


@pytest.mark.parametrize("each", [0.0001, 0.001, 0.004, 0.01])
def test_halts_come_near_the_target_and_exceed_it_by_a_step_of_their_own_at_most(each):
    machine = Machine(each=each)
    machine.answer()
    halts = machine.run(3000)[3:-1]
    largest = machine.seconds(512)
    assert all(0.7 * min(0.3, largest) <= seconds <= 0.3 + machine.seconds(1) for seconds in halts)


def test_a_prompt_that_becomes_dearer_with_depth_gets_smaller_pieces():
    machine = Machine()
    machine.answer()
    for _ in range(10):
        halts = machine.run(300)
        machine.each *= 1.1
    assert median(halts) <= 0.3 * 1.2


def test_one_step_that_was_held_up_changes_nothing():
    machine = Machine()
    machine.answer()
    machine.run(1000)
    before = machine.pace.prompt_tokens(1)
    machine.pace.note(answer_tokens=1, prompt_tokens=64, seconds=30.0)
    assert machine.pace.prompt_tokens(1) == before


def test_it_recovers_when_the_machine_does():
    machine = Machine()
    machine.answer()
    machine.run(500)
    before = machine.pace.prompt_tokens(1)
    machine.each *= 10
    machine.run(500)
    slowed = machine.pace.prompt_tokens(1)
    machine.each /= 10
    machine.run(1000)
    assert slowed < before / 2
    assert machine.pace.prompt_tokens(1) == before


def test_where_the_answers_alone_take_the_target_the_prompt_still_gets_three_quarters_of_the_time():
    machine = Machine(base=0.4, each=0.01)
    machine.answer()
    steps = machine.run(2000)[5:-1]
    share = 1 - machine.seconds(1) / (sum(steps) / len(steps))
    assert 0.65 <= share <= 0.8


def test_in_a_step_of_its_own_a_prompt_that_is_little_longer_than_allowed_is_computed_whole():
    pace = StepPace(target_seconds=0.3, batch_tokens=512)
    allowed = pace.prompt_tokens(1)
    half_more = allowed * 3 // 2
    assert [pace.prompt_tokens(1, waiting_tokens=waiting) for waiting in (allowed, half_more, half_more + 1)] == [
        allowed,
        half_more,
        allowed,
    ]


def test_the_rows_of_a_step_are_a_multiple_that_the_kernels_like():
    machine = Machine()
    machine.answer()
    machine.run(1000)
    assert {(machine.pace.prompt_tokens(answers) + answers) % 16 for answers in range(1, 9)} == {0}


def test_there_is_always_some_prompt_and_never_more_than_fits():
    draw = random.Random(7)
    pace = StepPace(target_seconds=0.01, batch_tokens=40)
    for _ in range(1000):
        answers = draw.randint(0, 39)
        count = pace.prompt_tokens(answers)
        beside = 0 if pace.takes_turns else answers
        assert 1 <= count <= 40 - beside
        pace.note(
            answer_tokens=beside,
            prompt_tokens=draw.choice([0, count]),
            seconds=draw.choice([0.0, 1e-6, 0.1, 9.0]),
            answers_wait=beside < answers,
        )


class KindToWidth(Machine):
    """Takes four times as long for each token of a step of less than 64."""

    def seconds(self, tokens):
        return self.base + self.each * tokens * (1 if tokens >= 64 else 4)


@pytest.mark.parametrize(("each", "wide"), [(0.006, True), (0.02, False)])
def test_where_narrow_steps_cost_more_a_token_pieces_stay_wide_unless_that_takes_too_long(each, wide):
    machine = KindToWidth(each=each)
    machine.answer()
    machine.pace.note(answer_tokens=0, prompt_tokens=64, seconds=64 * each)
    machine.run(64)
    halts = machine.run(3000)[5:-1]
    assert (median(halts) == machine.seconds(64)) == wide
    assert machine.pace.padded(40) == (64 if wide else 40)
    assert [machine.pace.padded(rows) for rows in (1, 64, 100)] == [1, 64, 100]
