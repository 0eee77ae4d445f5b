"""llama.cpp's samplers as its own server names their fields, and what the engine is asked for then."""

from typing import Any

from engine import AdaptiveP, Dry, DynamicTemperature, Xtc

LLAMA_CPP_FIELDS: dict[str, Any] = {
    "samplers": ["top_k", "dry", "temperature"],
    "top_n_sigma": 1.5,
    "min_keep": 2,
    "xtc_probability": 0.25,
    "xtc_threshold": 0.125,
    "dynatemp_range": 0.5,
    "dynatemp_exponent": 2,
    "dry_multiplier": 0.75,
    "dry_base": 2,
    "dry_allowed_length": 3,
    "dry_penalty_last_n": -1,
    "dry_sequence_breakers": ["\n", "User:"],
    "adaptive_target": 0.5,
    "adaptive_decay": 0.75,
}
LLAMA_CPP_PARAMS: dict[str, Any] = {
    "samplers": ("top_k", "dry", "temperature"),
    "top_n_sigma": 1.5,
    "min_keep": 2,
    "xtc": Xtc(probability=0.25, threshold=0.125),
    "dynamic_temperature": DynamicTemperature(range=0.5, exponent=2),
    "dry": Dry(multiplier=0.75, base=2, allowed_length=3, last_n=-1, sequence_breakers=("\n", "User:")),
    "adaptive_p": AdaptiveP(target=0.5, decay=0.75),
}
