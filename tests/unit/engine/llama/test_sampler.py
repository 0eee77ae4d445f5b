import types
from contextlib import ExitStack

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.llama import stages
from engine.llama.candidates import Candidates, NoCandidates, SamplerChain
from engine.llama.chain_draw import ChainDraw
from engine.llama.dry_samplers import DrySamplers
from engine.llama.plain_draw import PlainDraw
from engine.llama.sampler import Sampler
from engine.request import SAMPLERS, AdaptiveP, DynamicTemperature, Mirostat, SamplingParams, Xtc

LARGE = 4 * 1187 * 8
"""A vocabulary in which narrowing works on many parts, and whose size is no power of two."""


def row(size, *, spread=20.0, seed=0, ruled_out=0):
    """Distinct logits in random order, some of them impossible."""
    random = np.random.default_rng(seed)
    logits = random.permutation(np.linspace(-spread / 2, spread / 2, size)).astype(np.float32)
    logits[random.choice(size, ruled_out, replace=False)] = -np.inf
    return logits


def sampler(size=LARGE, **params):
    model = types.SimpleNamespace(vocabulary_size=size)
    banned = params.pop("banned", ())
    params = SamplingParams(**{"seed": 7, **params})
    return Sampler(model, params, ctx_size_tokens=64, dry_samplers=DrySamplers(model), banned=banned)


def setting(size, params):
    model = types.SimpleNamespace(vocabulary_size=size)
    return stages.Setting(params, size, ctx_size_tokens=64, seed=7, dry_samplers=DrySamplers(model))


def whole_distribution(logits, params, *, edited=()):
    """The probabilities that llama.cpp's samplers give the tokens, each working on the whole vocabulary."""
    known = setting(len(logits), params)
    with SamplerChain([*stages.make(stages.stages(params), known), stages.chooser(known)]) as chain:
        for token in edited:
            chain.accept(token)
        return applied(chain, logits)


def applied(chain, logits):
    candidates = Candidates()
    candidates.fill(np.arange(len(logits)), logits)
    chain.apply(candidates)
    return {token: p for token, p in candidates.distribution.items() if p > 0}


def narrowed_distribution(logits, params):
    with ChainDraw(stages.stages(params), setting(len(logits), params)) as draw:
        draw(logits)
        return {token: p for token, p in draw.candidates.distribution.items() if p > 0}


def assert_same(found, expected):
    """Equal, but for what llama.cpp's running sums in single precision lose at the edge of a nucleus."""
    edge = found.keys() ^ expected.keys()
    assert sum(found.get(token, 0) + expected.get(token, 0) for token in edge) < 2e-4
    for token in found.keys() & expected.keys():
        assert found[token] == pytest.approx(expected[token], rel=3e-4, abs=1e-7)


def off_or(strategy, off):
    return st.one_of(st.just(off), strategy)


# Odd numbers with many digits, so that no sum of probabilities lies at the very bound, where rounding decides.
SHARES = st.integers(1, 9).map(lambda n: n / 10 + 0.0123457)


@st.composite
def truncations(draw):
    fields = {
        "temperature": draw(off_or(st.floats(0.1, 3), 1.0)),
        "top_k": draw(off_or(st.integers(1, 300), 0)),
        "top_p": draw(off_or(SHARES, 1.0)),
        "min_p": draw(off_or(SHARES, 0.0)),
        "xtc": draw(off_or(st.builds(Xtc, probability=SHARES, threshold=SHARES), None)),
        "adaptive_p": draw(off_or(st.builds(AdaptiveP, target=SHARES), None)),
        "samplers": draw(off_or(st.permutations(SAMPLERS).map(tuple), None)),
        "top_n_sigma": draw(off_or(st.floats(0.1, 2), 0.0)),
    }
    # llama.cpp's top_n_sigma leaves what it drops among the candidates; then typical sampling works with the logarithm of 0, and the
    # others here count the dropped tokens as if they were possible.
    if not fields["top_n_sigma"]:
        fields["typical_p"] = draw(off_or(SHARES, 1.0))
        fields["min_keep"] = draw(off_or(st.integers(1, 60), 0))
        fields["dynamic_temperature"] = draw(off_or(st.builds(DynamicTemperature, range=SHARES, exponent=SHARES), None))
    return SamplingParams(**fields)


@given(
    truncations(), st.sampled_from([1, 2, 3, 50, 999, 5000]), st.sampled_from([0.7, 9.0, 40.0]), st.integers(0, 1 << 20)
)
def test_narrowed_candidates_have_the_probabilities_that_the_whole_vocabulary_gives_them(params, size, spread, seed):
    logits = row(size, spread=spread, seed=seed)
    assert_same(narrowed_distribution(logits, params), whole_distribution(logits, params))


@pytest.mark.parametrize(
    "params",
    [
        {"top_k": 40, "top_p": 0.95, "min_p": 0.05, "temperature": 0.8},
        {"top_k": 1},
        {"top_k": 30000},
        {"top_p": 0.9},
        {"top_p": 0.001},
        {"top_p": 0.9999, "temperature": 0.5},
        {"min_p": 0.05},
        {"min_p": 1e-9},
        {"top_n_sigma": 1.0},
        {"min_p": 0.9, "min_keep": 300},
        {"top_p": 0.01, "min_keep": 300},
        {"xtc": Xtc(probability=1.0, threshold=0.001)},
        {"temperature": 0.5, "min_p": 0.05, "samplers": ("temperature", "min_p")},
        {"temperature": 0.5, "top_p": 0.7, "min_p": 0.05, "samplers": ("temperature", "top_p", "min_p")},
    ],
    ids=str,
)
@pytest.mark.parametrize("spread", [2.0, 60.0, 5000.0])
def test_a_large_vocabulary_is_narrowed_without_a_change_of_probabilities(params, spread):
    logits = row(LARGE, spread=spread)
    assert_same(
        narrowed_distribution(logits, SamplingParams(**params)), whole_distribution(logits, SamplingParams(**params))
    )


# Not where probabilities are 0 in single precision, of which llama.cpp takes the logarithm.
@pytest.mark.parametrize("keep", [0, 300, 5000])
@pytest.mark.parametrize("spread", [2.0, 60.0])
def test_the_typical_tokens_of_a_large_vocabulary_are_those_of_the_whole_chain(spread, keep):
    params = SamplingParams(typical_p=0.5, min_keep=keep, temperature=0.7)
    logits = row(LARGE, spread=spread)
    assert_same(narrowed_distribution(logits, params), whole_distribution(logits, params))


def test_typical_sampling_survives_probabilities_of_zero():
    logits = row(LARGE, spread=5000)
    with sampler(typical_p=0.5) as drawn:
        assert {drawn.draw(logits) for _ in range(20)} <= set(np.argsort(logits)[-40:].tolist())


@pytest.mark.parametrize("params", [{"top_k": 40}, {"top_p": 0.9}, {"min_p": 0.1}, {"typical_p": 0.9}, {}])
def test_a_row_with_few_possible_tokens_yields_only_these(params):
    logits = row(LARGE, ruled_out=LARGE - 3)
    possible = set(np.flatnonzero(logits > -np.inf).tolist())
    with sampler(**params) as drawn:
        assert {drawn.draw(logits) for _ in range(60)} <= possible


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"temperature": 0},
        {"top_k": 40},
        {"top_p": 0.9},
        {"min_p": 0.1},
        {"typical_p": 0.9},
        {"mirostat": Mirostat(version=1)},
        {"mirostat": Mirostat(version=2)},
        {"repeat_penalty": 1.2},
    ],
    ids=str,
)
@pytest.mark.parametrize("value", [-np.inf, np.nan])
def test_a_row_without_a_possible_token_is_an_error(params, value):
    with sampler(100, **params) as drawn, pytest.raises(NoCandidates):
        drawn.draw(np.full(100, value, dtype=np.float32))


@pytest.mark.parametrize("params", [{}, {"top_k": 40}, {"top_p": 0.9}, {"min_p": 0.1}, {"temperature": 0.3}])
def test_the_same_seed_draws_the_same_tokens(params):
    logits = row(LARGE, spread=4)
    with ExitStack() as stack:
        first, second, other = (
            stack.enter_context(sampler(**params, seed=seed, repeat_penalty=1.1)) for seed in (3, 3, 4)
        )
        drawn = [[each.draw(logits) for _ in range(30)] for each in (first, second, other)]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("size", [7, 64, 97])
def test_a_plain_draw_has_the_frequencies_that_softmax_demands(size, temperature):
    logits = row(size, spread=4, ruled_out=2)
    draw = PlainDraw(temperature, seed=11)
    draws = 4000
    counts = np.bincount([draw(logits) for _ in range(draws)], minlength=size)
    weights = np.exp(logits.astype(np.float64) / temperature)
    probabilities = weights / weights.sum()
    deviations = (counts - draws * probabilities) / np.sqrt(draws * probabilities + 1e-9)
    assert np.abs(deviations).max() < 4.5
    assert counts[logits == -np.inf].sum() == 0


def test_a_plain_draw_from_a_peaked_row_is_nearly_always_the_peak():
    logits = row(LARGE, spread=10)
    logits[1234] = 60
    draw = PlainDraw(1.0, seed=1)
    assert {draw(logits) for _ in range(50)} == {1234}


@pytest.mark.parametrize(
    "penalties",
    [
        {"repeat_penalty": 1.3},
        {"presence_penalty": 1.5, "frequency_penalty": -0.4},
        {"repeat_penalty": 0.01},
        {"repeat_penalty": 100.0},
    ],
    ids=str,
)
def test_penalties_on_the_seen_tokens_are_those_of_the_whole_chain(penalties):
    params = SamplingParams(top_k=50, **penalties)
    logits = row(1000)
    seen = [*np.argsort(logits)[-20:].tolist(), 5, 5, 5]
    with sampler(1000, top_k=50, **penalties) as edited:
        edited.accept(seen)
        edited.draw(logits)
        found = edited.choice.candidates.distribution
    assert_same(found, whole_distribution(logits, params, edited=seen))


def test_penalties_forget_what_leaves_their_window():
    logits = row(1000)
    best = int(logits.argmax())
    with sampler(1000, temperature=0, repeat_penalty=3, repeat_last_n=2) as drawn:
        drawn.accept([best])
        assert [drawn.draw(logits) == best for _ in range(4)] == [False, False, True, False]


def test_bias_moves_and_bans_tokens_and_leaves_the_row_as_it_was():
    logits = row(1000)
    before = logits.copy()
    best, second = np.argsort(logits)[::-1][:2].tolist()
    with sampler(1000, temperature=0, logit_bias={3: 50.0}) as biased:
        assert biased.draw(logits) == 3
    with sampler(1000, temperature=0, logit_bias={best: -100.0}, repeat_penalty=1.1) as biased:
        assert biased.draw(logits) == second
    with sampler(1000, top_k=5, banned=[best]) as biased:
        assert best not in {biased.draw(logits) for _ in range(50)}
    assert np.array_equal(logits, before)


def test_a_sampler_may_be_closed_twice():
    drawn = sampler(100, top_k=4, repeat_penalty=1.1)
    drawn.close()
    drawn.close()


def test_samplers_that_are_not_named_take_no_part():
    logits = row(1000)
    with sampler(1000, top_k=1, repeat_penalty=50.0, samplers=("top_k",)) as drawn:
        assert {drawn.draw(logits) for _ in range(20)} == {int(logits.argmax())}
    with sampler(1000, temperature=5.0, top_k=1, samplers=()) as drawn:
        assert len({drawn.draw(logits) for _ in range(20)}) > 5


def test_penalties_named_behind_a_truncation_see_only_what_it_left():
    logits = row(1000)
    best, second = np.argsort(logits)[::-1][:2].tolist()
    for order, expected in ((("penalties", "top_k"), second), (("top_k", "penalties"), best)):
        with sampler(1000, top_k=1, presence_penalty=50.0, samplers=order) as drawn:
            drawn.accept([best])
            assert drawn.draw(logits) == expected


def test_a_temperature_of_zero_is_greedy_in_whatever_order():
    logits = row(1000)
    best = int(logits.argmax())
    xtc = Xtc(probability=1.0, threshold=0.0)
    for order in (None, ("xtc", "top_k"), ("temperature",), ()):
        with sampler(1000, temperature=0, xtc=xtc, top_k=5, samplers=order) as drawn:
            assert drawn.draw(logits) == best


def test_xtc_never_draws_the_choices_it_excludes():
    logits = row(1000, spread=500)
    best, second = np.argsort(logits)[::-1][:2].tolist()
    logits[best] = logits[second] + 0.1
    with sampler(1000, xtc=Xtc(probability=1.0, threshold=0.2)) as drawn:
        assert best not in {drawn.draw(logits) for _ in range(50)}


def test_adaptive_p_makes_up_for_likely_tokens_with_unlikely_ones():
    logits = np.log(np.array([0.6, 0.2, 0.1, 0.05, 0.05], dtype=np.float32))
    adaptive, plain = {"adaptive_p": AdaptiveP(target=0.2)}, {}
    counts = []
    for params in (adaptive, plain):
        with sampler(5, **params) as drawn:
            counts.append(np.bincount([drawn.draw(logits) for _ in range(400)], minlength=5)[0])
    assert counts[0] < counts[1] / 2


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"temperature": 1e-29, "min_p": 0.5, "samplers": ("temperature", "min_p")},
        {"temperature": 1e-29, "top_p": 0.5, "samplers": ("temperature", "top_p")},
        {"top_k": 5, "typical_p": 0.0},
        {"top_p": 0.0},
        {"min_p": 1.0},
        {"top_n_sigma": 1.0},
        {"xtc": Xtc(probability=1.0, threshold=0.0)},
        {"dynamic_temperature": DynamicTemperature(range=1000, exponent=0)},
        {"adaptive_p": AdaptiveP(target=0.0, decay=0.99)},
        {"mirostat": Mirostat(version=1, tau=0.0, eta=1000.0)},
        {"mirostat": Mirostat(version=2, tau=0.0, eta=1000.0)},
        {"repeat_penalty": 100.0, "frequency_penalty": 100.0},
    ],
    ids=str,
)
@pytest.mark.parametrize("size", [1, 2, 3000])
def test_the_only_possible_token_is_drawn_whatever_is_asked_for(params, size):
    logits = row(size, spread=200, ruled_out=size - 1)
    with sampler(size, **params) as drawn:
        assert {drawn.draw(logits) for _ in range(5)} == {int(logits.argmax())}
