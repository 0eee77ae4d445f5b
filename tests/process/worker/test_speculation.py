"""A draft changes how fast an answer comes, never what it says: each case with right, wrong and partly right guesses."""

import json
import random

import msgspec
import pytest

from engine.config import Drafting
from engine.events import TextDelta
from engine.request import JsonConstraint, Mirostat, SamplingParams
from engine.worker.guesser import Guesser
from tests.process.worker.inprocess import Answer, InProcess, load, request

WORDS = [
    "red",
    "green",
    "blue",
    "one",
    "two",
    "three",
    "cat",
    "dog",
    "say",
    "repeat",
    "after",
    "me",
    "the",
    "a",
    "of",
    "12",
    "7",
    "+",
    "=",
    "?",
    ".",
    "hello",
]
ALWAYS = Drafting(prompt_lookup="on", tokens=7)
SAMPLED = {
    "greedy": SamplingParams(temperature=0),
    "sampled": SamplingParams(temperature=1.2, seed=11),
    "penalised": SamplingParams(temperature=0.8, seed=5, repeat_penalty=1.3, frequency_penalty=0.5, top_k=40),
    "nucleus": SamplingParams(temperature=0.9, seed=3, top_p=0.9, min_p=0.02),
    "mirostat": SamplingParams(temperature=0.9, seed=3, mirostat=Mirostat(version=2)),
}


class Guesses:
    """Drafts a known continuation in which some tokens are wrong."""

    def __init__(self, prompt_length, answer, *, wrong_share, vocabulary_size, seed=0, length=7):
        draw = random.Random(seed)
        self.prompt_length = prompt_length
        self.answer = [t if draw.random() >= wrong_share else draw.randrange(vocabulary_size) for t in answer]
        self.length = length

    def draft(self, tokens, at_most):
        """What the continuation says, as far as it goes."""
        place = len(tokens) - self.prompt_length
        return self.answer[place : place + min(at_most, self.length)]


class Speculating(InProcess):
    """Runs requests with drafters of the test's."""

    def drafted(self, wanted, drafter_of):
        """The answer to one request, each of whose sequences drafts with `drafter_of(sequence)`."""
        return self.drafted_together([(wanted, drafter_of)])[0]

    def drafted_together(self, pairs):
        """The answers to requests that are computed together."""
        events = {}
        for wanted, drafter_of in pairs:
            request_id, first = self.submit(wanted)
            for sequence in self.generator._jobs[request_id].sequences if first else ():
                sequence.guesser = Guesser(drafter_of(sequence), hoped_share=0.9)
            events[request_id] = [event for _, event in first]
        while not self.generator.is_idle:
            for request_id, event in self.generator.step():
                events[request_id].append(event)
        self.generator.check_integrity()
        return [Answer(found) for found in events.values()]


@pytest.fixture(scope="module")
def speculating_worker():
    """The bundled model, guessing whenever there is a guess, whether or not it pays."""
    with load(drafting=ALWAYS) as worker:
        yield worker


@pytest.fixture
def model(speculating_worker):
    """The loaded model, with nothing cached."""
    in_process = Speculating(speculating_worker)
    in_process.generator.forget_cached_prefixes()
    return in_process


def plain(model, wanted):
    """The answer without drafts, and its sequences' tokens."""
    request_id, first = model.submit(wanted)
    sequences = model.generator._jobs[request_id].sequences
    for sequence in sequences:
        sequence.guesser = None
    events = [event for _, event in first]
    while not model.generator.is_idle:
        events += [event for _, event in model.generator.step()]
    return Answer(events), sequences


def guessing(model, sequences, wrong_share, seed=0):
    """Drafters that know these answers but for a share of their tokens."""
    size = model.worker.model.vocabulary_size
    known = {s.index: s.tokens[len(s.job.prompt_tokens) :] for s in sequences}
    start = len(sequences[0].job.prompt_tokens)
    return lambda sequence: Guesses(
        start, known[sequence.index], wrong_share=wrong_share, vocabulary_size=size, seed=seed
    )


def told(events):
    """All that a client can see, however it was cut into events."""
    said = {}
    for event in events:
        if isinstance(event, TextDelta):
            text, logprobs = said.get(event.index, ("", ()))
            said[event.index] = text + event.text, logprobs + event.logprobs
    return said


@pytest.mark.parametrize("wrong_share", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("sampling", SAMPLED.values(), ids=SAMPLED)
def test_no_draft_changes_an_answer_to_any_prompt(model, sampling, wrong_share):
    draw = random.Random(f"{sampling}")
    for turn in range(6):
        prompt = " ".join(draw.choices(WORDS, k=draw.randrange(1, 30)))
        wanted = request(prompt, sampling=sampling, max_tokens=draw.randrange(1, 40), ignore_eos=turn % 2 == 0)
        expected, sequences = plain(model, wanted)
        found = model.drafted(wanted, guessing(model, sequences, wrong_share, turn))
        assert (found.text, found.finish_reasons) == (expected.text, expected.finish_reasons)
        assert found.usage.completion_tokens == expected.usage.completion_tokens


def test_a_right_draft_saves_steps(model):
    wanted = request("a b c", max_tokens=33, ignore_eos=True)
    _, sequences = plain(model, wanted)
    steps = 0
    request_id, _ = model.submit(wanted)
    for sequence in model.generator._jobs[request_id].sequences:
        sequence.guesser = Guesser(guessing(model, sequences, 0.0)(sequence), hoped_share=0.9)
    while not model.generator.is_idle:
        list(model.generator.step())
        steps += 1
    assert steps <= 6


@pytest.mark.parametrize("wrong_share", [0.0, 0.3])
def test_log_probabilities_are_those_of_plain_decoding(model, wrong_share):
    wanted = request("one two", logprobs=3, max_tokens=20, ignore_eos=True)
    expected, sequences = plain(model, wanted)
    found = model.drafted(wanted, guessing(model, sequences, wrong_share))
    assert told(found.events) == told(expected.events)


@pytest.mark.parametrize("wrong_share", [0.0, 0.3])
def test_a_stop_string_within_a_draft_ends_the_answer_there(model, wrong_share):
    whole, sequences = plain(model, request("a b c", max_tokens=40, ignore_eos=True))
    stop = whole.text[len(whole.text) // 2 :][:3]
    wanted = request("a b c", max_tokens=40, ignore_eos=True, stop=(stop,))
    found = model.drafted(wanted, guessing(model, sequences, wrong_share))
    assert (found.text, found.finish_reasons) == (whole.text[: whole.text.index(stop)], ["stop"])


@pytest.mark.parametrize("wrong_share", [0.0, 0.3, 1.0])
def test_a_constrained_answer_is_the_same_with_a_draft(model, wrong_share):
    schema = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 9}, "age": {"type": "integer"}}}
    wanted = request(
        "json?", constraint=JsonConstraint(schema=json.dumps(schema)), max_tokens=60, sampling=SAMPLED["sampled"]
    )
    expected, sequences = plain(model, wanted)
    found = model.drafted(wanted, guessing(model, sequences, wrong_share))
    assert (found.text, found.finish_reasons) == (expected.text, expected.finish_reasons)


def test_several_answers_draft_each_for_itself(model):
    wanted = request("tell me", n=3, sampling=SAMPLED["sampled"], max_tokens=24, ignore_eos=True)
    expected, sequences = plain(model, wanted)
    assert model.drafted(wanted, guessing(model, sequences, 0.2)).texts() == expected.texts()


def test_drafts_in_company_change_nobodys_answer(model):
    wanted = [request(f"{word} {word} one two", max_tokens=30, ignore_eos=True) for word in WORDS[:4]]
    alone = [plain(model, one) for one in wanted]
    together = model.drafted_together(
        [
            (one, guessing(model, sequences, share))
            for one, (_, sequences), share in zip(wanted, alone, (0, 0.2, 0.5, 1), strict=True)
        ]
    )
    assert [answer.text for answer in together] == [answer.text for answer, _ in alone]


def test_sequences_that_lose_their_slots_draft_on_when_they_are_back():
    counts = [", ".join(str(number) for number in range(start, start + 14)) + "," for start in (1, 11, 21, 31, 41)]
    wanted = [request(count, max_tokens=60, ignore_eos=True) for count in counts]
    with load(ctx_size_tokens=256, parallel=4, drafting=ALWAYS) as worker:
        model = Speculating(worker)
        alone = [plain(model, one) for one in wanted]
        together = model.drafted_together(
            [(one, guessing(model, sequences, 0.2)) for one, (_, sequences) in zip(wanted, alone, strict=True)]
        )
    assert [answer.text for answer in together] == [answer.text for answer, _ in alone]


@pytest.mark.parametrize("stop_after", range(1, 5))
def test_a_request_cancelled_between_drafts_leaves_nothing_behind(model, stop_after):
    wanted = request("one two three", n=2, max_tokens=50, ignore_eos=True, sampling=SAMPLED["sampled"])
    _, sequences = plain(model, wanted)
    request_id, _ = model.submit(wanted)
    for sequence in model.generator._jobs[request_id].sequences:
        sequence.guesser = Guesser(guessing(model, sequences, 0.3)(sequence), hoped_share=0.9)
    for _ in range(stop_after):
        list(model.generator.step())
    model.generator.cancel(request_id)
    assert model.generator.is_idle
    model.generator.check_integrity()


REPEATING = "repeat after me: one two three four one two three four one two"


@pytest.mark.parametrize("sampling", SAMPLED.values(), ids=SAMPLED)
def test_looking_up_the_prompt_changes_no_answer(model, sampling):
    wanted = request(REPEATING, sampling=sampling, max_tokens=60, ignore_eos=True)
    expected, _ = plain(model, wanted)
    before = model.generator.speculation.accepted_tokens
    assert model.run(wanted)[0].text == expected.text
    assert model.generator.speculation.accepted_tokens > before


@pytest.mark.parametrize("sampling", SAMPLED.values(), ids=SAMPLED)
def test_a_prediction_changes_no_answer_and_is_counted(model, sampling):
    wanted = request("one two", sampling=sampling, max_tokens=40, ignore_eos=True)
    expected, _ = plain(model, wanted)
    half = len(expected.text) // 2
    prediction = f"{expected.text[:half]} and {expected.text[half:]}"
    (found,) = model.run(msgspec.structs.replace(wanted, prediction=prediction))
    assert found.text == expected.text
    assert found.usage.accepted_prediction_tokens >= 10
    assert found.usage.accepted_prediction_tokens < found.usage.completion_tokens


@pytest.mark.parametrize("prediction", ["", "\0", "nothing of this will be said " * 300])
def test_a_prediction_that_is_all_wrong_changes_nothing(model, prediction):
    wanted = request("a b c", max_tokens=20)
    expected, _ = plain(model, wanted)
    assert model.run(msgspec.structs.replace(wanted, prediction=prediction))[0].text == expected.text


def test_nothing_is_guessed_where_that_is_turned_off():
    with load(drafting=Drafting(tokens=0)) as worker:
        model = InProcess(worker)
        (answer,) = model.run(request(REPEATING, max_tokens=40, ignore_eos=True, prediction="one two three"))
        assert model.generator.speculation.drafted_tokens == 0
    assert answer.usage.rejected_prediction_tokens == 0


def test_a_looked_up_guess_is_no_prediction(model):
    (answer,) = model.run(request(REPEATING, max_tokens=40, ignore_eos=True))
    assert (answer.usage.accepted_prediction_tokens, answer.usage.rejected_prediction_tokens) == (0, 0)


def test_the_usage_has_all_of_a_prediction_though_the_answer_ends_within_it(model):
    wanted = request("one two", max_tokens=20)
    expected, _ = plain(model, wanted)
    speculation = model.generator.speculation
    accepted, drafted = speculation.accepted_tokens, speculation.drafted_tokens
    (found,) = model.run(msgspec.structs.replace(wanted, prediction=expected.text))
    accepted, drafted = speculation.accepted_tokens - accepted, speculation.drafted_tokens - drafted
    assert accepted > 0
    assert found.usage.accepted_prediction_tokens == accepted
    assert found.usage.rejected_prediction_tokens == drafted - accepted
