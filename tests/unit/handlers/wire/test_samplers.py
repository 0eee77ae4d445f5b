"""Which samplers are off unless asked for, and llama.cpp's defaults for the rest of each."""

from typing import Any

import pytest

from engine import AdaptiveP, Dry, DynamicTemperature, Mirostat, Xtc
from handlers.wire import samplers
from tests.unit.handlers.wire.llama_cpp_samplers import LLAMA_CPP_FIELDS
from tests.unit.handlers.wire.scripted import conforming

PARSERS = (samplers.mirostat, samplers.dry, samplers.xtc, samplers.dynamic_temperature, samplers.adaptive_p)


def fields(**values: Any) -> Any:
    return conforming(values, "ollama", "ModelOptions")


@pytest.mark.parametrize(
    "values",
    [
        {},
        dict.fromkeys(LLAMA_CPP_FIELDS),
        {"mirostat": 0, "dry_multiplier": 0, "xtc_probability": 0, "dynatemp_range": 0, "adaptive_target": -1},
        {"mirostat_tau": 1, "dry_base": 2, "xtc_threshold": 0.2, "dynatemp_exponent": 2, "adaptive_decay": 0.5},
    ],
)
def test_without_their_main_field_samplers_are_off(values: dict[str, Any]) -> None:
    assert [parse(fields(**values)) for parse in PARSERS] == [None] * 5
    assert samplers.order(fields(**values)) is None


def test_the_main_field_alone_brings_llama_cpps_defaults() -> None:
    values = {"mirostat": 2, "dry_multiplier": 1, "xtc_probability": 0.5, "dynatemp_range": 1, "adaptive_target": 0}
    assert [parse(fields(**values)) for parse in PARSERS] == [
        Mirostat(version=2, tau=5, eta=0.1),
        Dry(multiplier=1, base=1.75, allowed_length=2, last_n=64, sequence_breakers=("\n", ":", '"', "*")),
        Xtc(probability=0.5, threshold=0.1),
        DynamicTemperature(range=1, exponent=1),
        AdaptiveP(target=0, decay=0.9),
    ]


def test_no_samplers_at_all_may_be_asked_for() -> None:
    assert samplers.order(fields(samplers=[])) == ()
