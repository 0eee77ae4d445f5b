"""DRY, which needs a vocabulary: llama.cpp looks for breakers in the tokens' texts."""

import numpy as np
import pytest

from engine.errors import EngineError
from engine.llama import stages
from engine.llama.candidates import Candidates, SamplerChain
from engine.llama.dry_samplers import DrySamplers
from engine.llama.sampler import Sampler
from engine.request import Dry, SamplingParams
from tests.process.worker.inprocess import request

STRONG = Dry(multiplier=10, allowed_length=2)


@pytest.fixture
def tokens(model):
    return lambda text: model.worker.model.tokenize(text, add_special=False, parse_special=False)


@pytest.fixture
def dry_samplers(model):
    kept = DrySamplers(model.worker.model)
    yield kept
    kept.close()


@pytest.fixture
def after(model, dry_samplers):
    """What is drawn greedily behind these tokens, where the model would go on with `wanted`, or else with `other`."""

    def draw(seen, wanted, other, dry):
        logits = np.zeros(model.worker.model.vocabulary_size, dtype=np.float32)
        logits[wanted], logits[other] = 5, 4
        params = SamplingParams(temperature=0, dry=dry)
        with Sampler(model.worker.model, params, ctx_size_tokens=64, dry_samplers=dry_samplers) as sampler:
            sampler.accept(seen)
            return sampler.draw(logits)

    return draw


def test_a_token_that_would_go_on_repeating_is_not_drawn(after, tokens):
    a, b, c, d = (tokens(letter)[0] for letter in "abcd")
    assert after([a, b, c, d, a, b], c, d, STRONG) == d
    assert after([a, b, c, d, a, b], c, d, Dry(multiplier=10, allowed_length=3)) == c
    assert after([d, c, b, a, b], c, d, STRONG) == c


def test_a_repetition_across_a_breaker_is_none(after, tokens):
    a, b, c, d = (tokens(letter)[0] for letter in "abcd")
    assert after([a, b, c, d, a, b], c, d, Dry(multiplier=10, sequence_breakers=("b",))) == c
    assert after([a, b, c, d, a, b], c, d, Dry(multiplier=10, sequence_breakers=())) == d


def test_dry_forgets_what_is_further_back_than_it_looks(after, tokens):
    a, b, c, d = (tokens(letter)[0] for letter in "abcd")
    assert after([a, b, c, d, a, b], c, d, Dry(multiplier=10, last_n=4)) == c
    assert after([a, b, c, d, a, b], c, d, Dry(multiplier=10, last_n=-1)) == d


def test_dry_on_the_seen_tokens_is_that_of_the_whole_chain(model, dry_samplers, tokens):
    llama = model.worker.model
    params = SamplingParams(dry=Dry(multiplier=0.8), top_k=20, repeat_penalty=1.1)
    setting = stages.Setting(params, llama.vocabulary_size, 64, 7, dry_samplers)
    seen = tokens("the cat and the dog and the cat and the")
    logits = np.random.default_rng(1).normal(0, 3, llama.vocabulary_size).astype(np.float32)
    logits[list(set(seen))] += 6
    whole, expected = Candidates(), None
    with SamplerChain([*stages.make(stages.stages(params), setting), stages.chooser(setting)]) as chain:
        for token in seen:
            chain.accept(token)
        whole.fill(np.arange(len(logits)), logits)
        chain.apply(whole)
        expected = whole.distribution
    with Sampler(llama, params, ctx_size_tokens=64, dry_samplers=dry_samplers) as sampler:
        sampler.accept(seen)
        sampler.draw(logits)
        assert sampler.choice.candidates.distribution == pytest.approx(expected, rel=1e-5)


def test_kinds_of_dry_samplers_are_kept_and_replaced_without_a_trace(after, tokens):
    a, b, c, d = (tokens(letter)[0] for letter in "abcd")
    for length in [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 2]:
        expected = d if length == 2 else c
        assert after([a, b, c, d, a, b], c, d, Dry(multiplier=10, allowed_length=length)) == expected


@pytest.mark.parametrize("breaker", ["", "é" * 11])
def test_a_breaker_that_llama_cpp_would_cut_or_skip_is_refused_by_name(model, breaker):
    sampling = SamplingParams(dry=Dry(multiplier=1, sequence_breakers=("a", breaker)))
    with pytest.raises(EngineError, match="expected 1 to 20") as caught:
        model.submit(request("hi", sampling=sampling))
    assert caught.value.param == "dry_sequence_breakers[1]"


def test_an_answer_with_dry_repeats_itself_less(model):
    def answer(dry):
        sampling = SamplingParams(temperature=0, dry=dry)
        return model.run(request("ho ho ho ho ho ho", max_tokens=24, ignore_eos=True, sampling=sampling))[0].text

    assert answer(None) != answer(Dry(multiplier=5))
