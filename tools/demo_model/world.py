"""Owns the little world that the demo model knows: its facts and its words, read from `wordings/world.toml`.

It knows neither how questions are phrased nor how samples are built.
"""

from __future__ import annotations

from tools.demo_model.wordings import wordings

_WORLD = wordings("world")

CAPITALS: dict[str, str] = _WORLD["capitals"]
COLOURS: dict[str, str] = _WORLD["colours"]
SOUNDS: dict[str, str] = _WORLD["sounds"]
OPPOSITES: dict[str, str] = _WORLD["opposites"]
PLURALS: dict[str, str] = _WORLD["plurals"]
AMOUNTS: dict[str, str] = _WORLD["counts"]
CATEGORIES: dict[str, list[str]] = _WORLD["categories"]
DAYS: list[str] = _WORLD["days"]
MONTHS: list[str] = _WORLD["months"]
ALPHABET = list("abcdefghijklmnopqrstuvwxyz")
NUMBER_WORDS: list[str] = _WORLD["number_words"]
PEOPLE: list[str] = _WORLD["people"]
CITIES: list[str] = _WORLD["cities"]
REGIONS: list[str] = _WORLD["regions"]
NOUNS: list[str] = _WORLD["nouns"]
ADJECTIVES: list[str] = _WORLD["adjectives"]
VERBS: list[str] = _WORLD["verbs"]
JOBS: list[str] = _WORLD["jobs"]
TITLES: list[str] = _WORLD["titles"]
TOPICS: list[str] = _WORLD["topics"]
ONSETS: list[str] = _WORLD["invented"]["onsets"]
VOWELS: list[str] = _WORLD["invented"]["vowels"]
ENDINGS: list[str] = _WORLD["invented"]["endings"]

DEMO_NAME = "Trueline's demo model"
UNKNOWN = "I am only a small demo model, so I do not know that."
