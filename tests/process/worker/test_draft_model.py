"""A draft model guesses for a large one: itself, where every guess is right, and a damaged copy, which is often wrong."""

import random

import pytest

from engine import BUNDLED_MODEL
from engine.config import Drafting
from engine.llama.library import LlamaError
from engine.request import SamplingParams
from tests.process.worker.inprocess import InProcess, load, request

PROMPTS = [
    "a b c",
    "What is 2 + 3?",
    "tell me",
    "one two three four five six seven eight nine ten " * 5,
    "repeat: red blue",
]
SAMPLED = SamplingParams(temperature=1.0, seed=4)


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    """The bundled model with noise in its last layers."""
    data = bytearray(BUNDLED_MODEL.read_bytes())
    draw = random.Random(1)
    for _ in range(len(data) // 40):
        data[draw.randrange(len(data) * 6 // 10, len(data))] ^= 1
    path = tmp_path_factory.mktemp("draft") / "damaged.gguf"
    path.write_bytes(data)
    return path


def drafting(path, **changes):
    """A draft model that guesses whenever nothing else does."""
    return Drafting(**{"prompt_lookup": "on", "tokens": 5, "model": str(path), **changes})


def without_lookup(requests, model):
    """The answers to requests computed together, whose guesses are all the draft model's."""
    ids = [model.submit(wanted)[0] for wanted in requests]
    for request_id in ids:
        for sequence in model.generator._jobs[request_id].sequences:
            sequence.guesser = None
    texts = {}
    while not model.generator.is_idle:
        for request_id, event in model.generator.step():
            key = request_id, getattr(event, "index", 0)
            texts[key] = texts.get(key, "") + getattr(event, "text", "")
    model.generator.check_integrity()
    return [text for _, text in sorted(texts.items())]


@pytest.mark.parametrize("sampling", [SamplingParams(temperature=0), SAMPLED], ids=["greedy", "sampled"])
def test_a_draft_model_changes_no_answer(model: InProcess, damaged, sampling):
    wanted = [request(prompt, sampling=sampling, max_tokens=30, ignore_eos=True) for prompt in PROMPTS]
    expected = [model.run(one)[0].text for one in wanted]
    for path in (BUNDLED_MODEL, damaged):
        with load(drafting=drafting(path)) as worker:
            drafted = InProcess(worker)
            assert [text for one in wanted for text in without_lookup([one], drafted)] == expected
            assert drafted.generator.speculation.accepted_tokens > 0


def test_it_guesses_for_several_answers_at_once(model: InProcess, damaged):
    # Prompts that leave the model in no doubt: company alone makes other rounding errors, which decide between equals.
    wanted = [request(prompt, max_tokens=30, ignore_eos=True) for prompt in PROMPTS[:3]]
    wanted.append(request(PROMPTS[0], max_tokens=20, ignore_eos=True, n=3))
    expected = [text for one in wanted for text in model.run(one)[0].texts()]
    with load(drafting=drafting(damaged)) as worker:
        drafted = InProcess(worker)
        assert without_lookup(wanted, drafted) == expected
        assert 0 < drafted.generator.speculation.accepted_tokens < drafted.generator.speculation.drafted_tokens


def test_a_model_guesses_itself(model: InProcess):
    wanted = request("tell me", max_tokens=37, ignore_eos=True)
    with load(drafting=drafting(BUNDLED_MODEL)) as worker:
        drafted = InProcess(worker)
        without_lookup([wanted], drafted)
        speculation = drafted.generator.speculation
    # The end of an answer, which this request forbids, is the one thing that it guesses wrong.
    assert speculation.drafted_tokens - speculation.accepted_tokens <= 9
    assert speculation.accepted_tokens >= 28


def test_a_prompt_longer_than_a_round_is_caught_up_with_over_several_steps(model: InProcess):
    wanted = request("one two three " * 60, max_tokens=30, ignore_eos=True)
    (expected,) = model.run(wanted)
    with load(drafting=drafting(BUNDLED_MODEL), ctx_size_tokens=1024) as worker:
        drafted = InProcess(worker)
        assert without_lookup([wanted], drafted) == [expected.text]
        assert drafted.generator.speculation.accepted_tokens > 0


def test_a_cancelled_request_leaves_nothing_behind_in_the_draft_model(damaged):
    with load(drafting=drafting(damaged)) as worker:
        drafted = InProcess(worker)
        for steps in range(1, 5):
            request_id, _ = drafted.submit(request("tell me", n=2, max_tokens=50, ignore_eos=True, sampling=SAMPLED))
            for _ in range(steps):
                list(drafted.generator.step())
            drafted.generator.cancel(request_id)
            drafted.generator.check_integrity()


def test_more_than_fits_the_draft_models_cache_is_answered_all_the_same(damaged):
    wanted = [request(f"{n} " + "one two three four five " * 8, max_tokens=50, ignore_eos=True) for n in range(5)]
    with load(ctx_size_tokens=256, drafting=Drafting(tokens=0)) as worker:
        expected = [answer.text for answer in InProcess(worker).run(*wanted)]
    with load(ctx_size_tokens=256, drafting=drafting(damaged)) as worker:
        assert without_lookup(wanted, InProcess(worker)) == expected


def test_the_draft_models_weights_count(damaged):
    with load() as alone, load(drafting=drafting(damaged)) as both:
        assert both.facts.size_bytes == 2 * alone.facts.size_bytes


def test_a_draft_model_with_another_vocabulary_is_refused(tmp_path):
    data = BUNDLED_MODEL.read_bytes()
    other = tmp_path / "other.gguf"
    other.write_bytes(data.replace(b"<tool_call>", b"<tool-call>"))
    with pytest.raises(
        LlamaError, match=r"other\.gguf has another vocabulary than the model: token \d+ is .*tool.call"
    ):
        load(drafting=drafting(other))


def test_a_draft_model_that_is_not_there_is_named():
    with pytest.raises(LlamaError, match=r"can't load missing\.gguf"):
        load(drafting=drafting("/nowhere/missing.gguf"))
