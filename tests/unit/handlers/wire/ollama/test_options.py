"""Ollama's options and their documented defaults."""

from typing import Any

import msgspec
import pytest

from engine import Mirostat, SamplingParams
from handlers.wire.ollama.options import max_tokens, parse_sampling
from tests.unit.handlers.wire.llama_cpp_samplers import LLAMA_CPP_FIELDS, LLAMA_CPP_PARAMS
from tests.unit.handlers.wire.scripted import conforming


def options(**fields: Any) -> Any:
    return conforming(fields, "ollama", "ModelOptions")


DEFAULTS = SamplingParams(
    temperature=0.8, top_k=40, top_p=0.9, min_p=0.0, typical_p=1.0, repeat_penalty=1.1, repeat_last_n=64, seed=None
)


def test_the_defaults_are_ollamas() -> None:
    assert parse_sampling(options()) == DEFAULTS


def test_null_means_the_default() -> None:
    assert parse_sampling(options(temperature=None, top_k=None, seed=None, mirostat=None)) == DEFAULTS
    assert max_tokens(options(num_predict=None)) is None


def test_every_option_reaches_the_engine() -> None:
    fields = {
        "temperature": 0, "top_k": 5, "top_p": 0.5, "min_p": 0.25, "typical_p": 0.75, "repeat_penalty": 2,
        "presence_penalty": 1, "frequency_penalty": -1, "repeat_last_n": 0, "seed": 42,
    }  # fmt: skip
    mirostat = {"mirostat": 1, "mirostat_tau": 3, "mirostat_eta": 0.25}
    expected = SamplingParams(**fields, mirostat=Mirostat(version=1, tau=3, eta=0.25))
    assert parse_sampling(options(**fields, **mirostat)) == expected


def test_a_seed_of_minus_one_draws_one() -> None:
    assert parse_sampling(options(seed=-1)).seed is None
    assert parse_sampling(options(seed=0)).seed == 0


def test_a_negative_top_k_is_off() -> None:
    assert parse_sampling(options(top_k=-1)).top_k == 0


@pytest.mark.parametrize(("num_predict", "limit"), [(-1, None), (-2, None), (0, 0), (7, 7)])
def test_num_predict_limits_the_answer_unless_negative(num_predict: int, limit: int | None) -> None:
    assert max_tokens(options(num_predict=num_predict)) == limit


def test_llama_cpps_other_samplers_are_options_too() -> None:
    assert parse_sampling(options(**LLAMA_CPP_FIELDS)) == msgspec.structs.replace(DEFAULTS, **LLAMA_CPP_PARAMS)
