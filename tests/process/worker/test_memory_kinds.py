"""Whatever a model remembers by - attention, sliding windows, running states - reusing what was computed changes no answer."""

import random
from collections import defaultdict

import pytest

from engine.events import TextDelta
from engine.request import TokenPrompt
from tests.process.worker.inprocess import InProcess, load, request
from tools.bench_model.memory_kinds import MEMORY_PRESETS
from tools.bench_model.shapes import PRESETS
from tools.make_bench_model import write_model

KINDS = tuple(MEMORY_PRESETS)
INDIVISIBLE = ("test-recurrent", "test-hybrid")
MESSAGE_END = 508  # <|im_end|> in a vocabulary of 512


@pytest.fixture(scope="session")
def model_files(tmp_path_factory):
    directory = tmp_path_factory.mktemp("memory")
    for kind in KINDS:
        write_model(directory / f"{kind}.gguf", PRESETS[kind], name=kind)
    return directory


def always_bring_back(model):
    """Whether bringing back is cheaper than computing depends on how busy this machine is."""
    model.generator._slots._store._token_seconds = lambda: None


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def model(model_files, kind):
    with load(model_files / f"{kind}.gguf", ctx_size_tokens=768, batch_tokens=64, parallel=4) as worker:
        model = InProcess(worker)
        always_bring_back(model)
        yield model


def tokens(seed, count):
    draw = random.Random(str(seed))
    return [draw.randrange(256, 500) for _ in range(count)]


def ask(prompt, **changes):
    return request("", prompt=TokenPrompt(tokens=tuple(prompt)), logprobs=2, ignore_eos=True, **changes)


def drawn(answer):
    """The log probability entries of each answer."""
    entries = defaultdict(list)
    for event in answer.events:
        if isinstance(event, TextDelta) and not event.echo:
            entries[event.index] += event.logprobs
    return [entries[index] for index in sorted(entries)]


def assert_same(answer, expected):
    """The same tokens with the same probabilities, as far as rounding lets them be told apart.

    A state that was computed in other batches has other rounding errors. Where two tokens are as likely as each other, these decide, and
    what follows can't be compared.
    """
    (reference,) = drawn(expected)
    for entries in drawn(answer):
        assert len(entries) == len(reference)
        for entry, other in zip(entries, reference, strict=True):
            assert entry.logprob == pytest.approx(other.logprob, abs=0.02)
            if entry.token_id != other.token_id:
                assert {entry.token_id, other.token_id} == {alternative.token_id for alternative in other.top}
                break


def from_scratch(model, prompt, **changes):
    model.generator.forget_cached_prefixes()
    (answer,) = model.run(ask(prompt, **changes))
    model.generator.forget_cached_prefixes()
    assert answer.usage.cached_tokens == 0
    return answer


def conversation(turns):
    """Prompts of a chat, each with all before it; what asks for an answer is not repeated in the next."""
    history, prompts = [], []
    for turn in range(turns):
        history = [*history, *tokens(("user", turn), 60), MESSAGE_END]
        prompts.append([*history, 300, 301, 302])
        history = [*history, 400, *tokens(("assistant", turn), 20), MESSAGE_END]
    return prompts


def test_every_turn_of_a_chat_resumes_where_the_last_message_ended(model, kind):
    prompts = conversation(4)
    expected = [from_scratch(model, prompt) for prompt in prompts]
    answers = [model.run(ask(prompt))[0] for prompt in prompts]
    for answer, alone in zip(answers, expected, strict=True):
        assert_same(answer, alone)
    assert [answer.usage.cached_tokens for answer in answers] == [0, *(len(p) - 3 for p in prompts[:-1])]


def test_a_prefix_is_computed_once_for_all_who_come_together(model):
    prefix = tokens("shared", 200)
    prompts = [[*prefix, *tokens(n, 10)] for n in range(4)]
    expected = [from_scratch(model, prompt) for prompt in prompts]
    answers = model.run(*map(ask, prompts))
    for answer, alone in zip(answers, expected, strict=True):
        assert_same(answer, alone)
    not_worth_waiting_for = 32
    assert [answer.usage.cached_tokens > 200 - not_worth_waiting_for for answer in answers] == [False, True, True, True]


def test_what_two_prompts_had_in_common_is_not_computed_for_a_third_though_each_came_alone(model):
    prefix = tokens("shared", 300)
    prompts = [[*prefix, *tokens(n, 10)] for n in range(4)]
    expected = [from_scratch(model, prompt) for prompt in prompts]
    answers = [model.run(ask(prompt))[0] for prompt in prompts]
    for answer, alone in zip(answers, expected, strict=True):
        assert_same(answer, alone)
    assert all(answer.usage.cached_tokens >= 300 for answer in answers[2:])


def test_several_answers_share_one_prompt(model):
    prompt = tokens("prompt", 150)
    expected = from_scratch(model, prompt)
    (answer,) = model.run(ask(prompt, n=3))
    assert len(drawn(answer)) == 3
    assert_same(answer, expected)


def test_the_same_prompt_again_is_not_computed_from_its_beginning(model, kind):
    prompt = [*tokens("prompt", 150), MESSAGE_END, 300, 301]
    first, again = (model.run(ask(prompt))[0] for _ in range(2))
    assert_same(again, first)
    assert again.usage.cached_tokens == (151 if kind in INDIVISIBLE else 152)


@pytest.mark.parametrize("seed", range(3))
def test_any_series_of_requests_answers_as_if_each_was_alone(model, seed):
    draw = random.Random(seed)
    roots = [tokens(("root", n), 150) for n in range(3)]
    prompts = [
        [*draw.choice(roots)[: draw.randrange(1, 151)], *tokens((seed, n), draw.randrange(1, 60))] for n in range(12)
    ]
    expected = [from_scratch(model, prompt) for prompt in prompts]
    answers = []
    while len(answers) < len(prompts):
        together = prompts[len(answers) : len(answers) + draw.randrange(1, 6)]
        cancelled, _ = model.submit(ask(draw.choice(together)))
        for _ in range(draw.randrange(4)):
            list(model.generator.step())
        model.generator.cancel(cancelled)
        answers += model.run(*map(ask, together))
    for answer, alone in zip(answers, expected, strict=True):
        assert_same(answer, alone)


def test_more_than_fits_comes_back_right(model_files, kind, caplog):
    caplog.set_level("INFO")
    prompts = [[*tokens("root", 60), *tokens(n, 120)] for n in range(5)]
    with load(model_files / f"{kind}.gguf", ctx_size_tokens=512, batch_tokens=64, parallel=4) as worker:
        model = InProcess(worker)
        expected = [from_scratch(model, prompt, max_tokens=60) for prompt in prompts]
        caplog.clear()
        answers = model.run(*(ask(prompt, max_tokens=60) for prompt in prompts))
    for answer, alone in zip(answers, expected, strict=True):
        assert_same(answer, alone)
    assert not caplog.records  # a full cache is nothing to warn of


def test_what_left_the_cache_comes_back_without_computing_and_answers_the_same(model_files, kind):
    prompts = [[*tokens(("root", n), 150), MESSAGE_END, 300, 301] for n in range(8)]
    with load(model_files / f"{kind}.gguf", ctx_size_tokens=512, batch_tokens=64, parallel=2) as worker:
        model = InProcess(worker)
        always_bring_back(model)
        expected = [from_scratch(model, prompt) for prompt in prompts]
        for prompt in prompts:
            model.run(ask(prompt))
        answers = [model.run(ask([*prompt[:151], 300, 301]))[0] for prompt in prompts]
        continued = [model.run(ask([*prompt, 400, 401]))[0] for prompt in prompts]
    for answer, alone in zip(answers, expected, strict=True):
        assert_same(answer, alone)
        assert answer.usage.cached_tokens >= 151
    assert all(answer.usage.cached_tokens >= 151 for answer in continued)


def test_a_whole_conversation_that_left_the_cache_is_continued(model_files, kind):
    with load(model_files / f"{kind}.gguf", ctx_size_tokens=512, batch_tokens=64, parallel=1) as worker:
        model = InProcess(worker)
        always_bring_back(model)
        first = model.run(ask(tokens("first", 150), return_context=True))[0]
        continued = [*first.endings[0].context, 300, 301]
        expected = from_scratch(model, continued)
        model.run(ask(tokens("first", 150)))
        for n in range(4):
            model.run(ask(tokens(n, 200)))
        (answer,) = model.run(ask(continued))
    assert_same(answer, expected)
    assert answer.usage.cached_tokens == 150 + 12 - 1


def test_what_was_computed_before_a_restart_is_not_computed_again(model_files, kind, tmp_path):
    prompt = [*tokens("kept", 150), MESSAGE_END, 300, 301]
    cached = []
    for _ in range(2):
        with load(model_files / f"{kind}.gguf", prefix_cache_dir=str(tmp_path), parallel=2) as worker:
            model = InProcess(worker)
            job = worker.preparer.generation(99, ask(prompt))
            model.generator._prefix_files._thread.submit(lambda: None).result()
            model.generator.fetch_prefix(job)
            job.close()
            (answer,) = model.run(ask(prompt))
            cached.append(answer)
    assert_same(cached[1], cached[0])
    assert [answer.usage.cached_tokens for answer in cached] == [
        0,
        152 if kind in ("test-attention", "test-mrope") else 151,
    ]
