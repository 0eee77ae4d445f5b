"""How long drafts are: as long as pays, by what steps were measured to take and by how often guesses were right."""

import pytest

from engine.config import Drafting
from engine.request import GenerationRequest, TextPrompt
from engine.worker.guesser import Guesser
from engine.worker.scheduler import Chunk
from engine.worker.sequence import GenerationJob, Sequence
from engine.worker.slots import Slot
from engine.worker.speculation import Speculation

REQUEST = GenerationRequest(model="m", prompt=TextPrompt(text=""))


def flat(_rows):
    """A machine that waits for the weights only."""
    return 1.0


def linear(rows):
    """A machine that has nothing to gain from width."""
    return float(rows)


def by_fours(rows):
    """A machine that takes four rows as one."""
    return rows // 4 + rows % 4 * 0.5 + 0.1


class Counting:
    """Drafts the numbers that follow, as many as are wanted."""

    def draft(self, tokens, at_most):
        return list(range(tokens[-1] + 1, tokens[-1] + 1 + at_most))


class Bench:
    """Sequences that count up, but for every `wrong_every`-th token; steps take what `seconds` says of their rows."""

    def __init__(self, seconds, *, sequences=1, wrong_every=0, limit=10_000, **params):
        self.speculation = Speculation(Drafting(**params), can_forget=True)
        self.seconds, self.wrong_every = seconds, wrong_every
        self.sequences = [self._sequence(limit) for _ in range(sequences)]
        self.rows, self.spent = [], 0.0

    def _sequence(self, limit):
        sequence = Sequence(GenerationJob(0, REQUEST, [0], limit), 0, sampler=None, constraint=None, output=None)
        sequence.guesser = Guesser(Counting(), hoped_share=0.8)
        sequence.slot = Slot(0)
        return sequence

    def run(self, steps):
        """So many steps; tokens for each second."""
        start, begun = self.spent, sum(len(s.tokens) for s in self.sequences)
        for _ in range(steps):
            self._step()
        return (sum(len(s.tokens) for s in self.sequences) - begun) / (self.spent - start)

    def _step(self):
        chunks = self.speculation.extend([Chunk(sequence, 1) for sequence in self.sequences], 500)
        rows = sum(1 + len(chunk.draft) for chunk in chunks)
        self.rows.append(rows)
        self.spent += self.seconds(rows)
        self.speculation.cost.note(rows, self.seconds(rows))
        for chunk in chunks:
            self._draw(chunk)

    def _draw(self, chunk):
        tokens = chunk.sequence.tokens
        known = len(tokens)
        for guessed in [*chunk.draft, None]:
            wrong = self.wrong_every and len(tokens) % self.wrong_every == 0
            tokens.append(tokens[-1] + (5 if wrong else 1))
            if tokens[-1] != guessed:
                break
        chunk.sequence.slot.tokens = tokens[:-1]
        accepted = len(tokens) - known - 1
        self.speculation.note_drawn(chunk.sequence, known=known, drafted=len(chunk.draft), accepted=accepted)


def test_where_width_is_free_drafts_are_as_long_as_allowed():
    bench = Bench(flat)
    assert bench.run(60) > 10
    assert max(bench.rows) == 16


def test_where_each_row_costs_as_much_as_a_step_nothing_is_guessed_after_a_try():
    bench = Bench(linear)
    bench.run(200)
    assert sum(rows > 1 for rows in bench.rows[20:]) == 0


def test_widths_that_the_machine_likes_are_found():
    bench = Bench(by_fours, wrong_every=4)
    bench.run(60)
    assert set(bench.rows[30:]) == {4}


def test_an_answer_that_goes_its_own_way_is_soon_left_alone():
    bench = Bench(by_fours, wrong_every=1)
    bench.run(100)
    assert sum(rows > 1 for rows in bench.rows[20:]) <= 4


def test_an_answer_that_copies_again_is_guessed_again():
    bench = Bench(by_fours, wrong_every=1)
    bench.run(50)
    bench.wrong_every = 0
    bench.run(50)
    assert bench.rows[-1] >= 8


@pytest.mark.parametrize("wrong_every", [0, 1, 2, 3, 5, 9])
@pytest.mark.parametrize("seconds", [flat, linear, by_fours], ids=["flat", "linear", "by fours"])
def test_guessing_is_never_much_slower_than_not(seconds, wrong_every):
    plain = Bench(seconds, wrong_every=wrong_every, tokens=0).run(600)
    assert Bench(seconds, wrong_every=wrong_every).run(600) > 0.93 * plain


def test_the_likelier_guesses_of_many_sequences_go_first():
    bench = Bench(lambda rows: 1.0 + max(0, rows - 8) * 10, sequences=4)
    bench.sequences[0].guesser = Guesser(Counting(), hoped_share=0.9)
    for sequence in bench.sequences[1:]:
        sequence.guesser = Guesser(Counting(), hoped_share=0.1)
    bench.speculation.cost.note(4, 1.0)
    for _ in range(3):
        bench.speculation.cost.note(16, 100.0)
        bench.speculation.cost.note(12, 50.0)
    chunks = bench.speculation.extend([Chunk(sequence, 1) for sequence in bench.sequences], 500)
    assert [len(chunk.draft) for chunk in chunks] == [4, 0, 0, 0]


def test_a_draft_leaves_room_for_the_token_that_is_drawn_behind_it():
    bench = Bench(flat, limit=5, prompt_lookup="on")
    (chunk,) = bench.speculation.extend([Chunk(bench.sequences[0], 1)], 500)
    assert len(chunk.draft) == 3


def test_the_room_of_the_batch_is_kept():
    bench = Bench(flat, sequences=3, prompt_lookup="on")
    chunks = bench.speculation.extend([Chunk(sequence, 1) for sequence in bench.sequences], 10)
    assert sum(len(chunk.draft) for chunk in chunks) == 10


def test_beside_a_prompt_that_is_not_caught_up_nothing_is_guessed():
    bench = Bench(flat, sequences=2, prompt_lookup="on")
    bench.sequences[1].tokens += [1, 2, 3]  # known, but not computed
    chunks = [Chunk(bench.sequences[0], 1), Chunk(bench.sequences[1], 2)]
    assert bench.speculation.extend(chunks, 500) == chunks


def test_memory_that_can_not_forget_gets_no_draft():
    speculation = Speculation(Drafting(prompt_lookup="on"), can_forget=False)
    chunks = [Chunk(Bench(flat).sequences[0], 1)]
    assert speculation.extend(chunks, 500) == chunks
