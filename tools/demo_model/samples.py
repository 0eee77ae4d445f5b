"""Owns what a training sample is, and the draw that keeps training and held-out items apart.

It knows no skill and no token: skills build samples, `rendering` turns them into text.
"""

from __future__ import annotations

import random
import re
import string
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]
Message = dict[str, Json]
Item = TypeVar("Item")

HELD_OUT_SHARE = 10
"""One item in this many is never trained on."""


@dataclass(frozen=True)
class Exchange:
    """One question with its answer; `short` and `fields` are the same answer as one word and as a JSON object."""

    skill: str
    question: str
    answer: str
    short: str = ""
    fields: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Sample:
    """A chat (`messages`, `tools`) or a plain text (`prompt`, `completion`); every assistant turn is learned."""

    skill: str
    messages: tuple[Message, ...] = ()
    tools: tuple[Message, ...] = ()
    prompt: str = ""
    completion: str = ""


def held_out(key: str) -> bool:
    """Whether the item that `key` names belongs to the evaluation and must never be trained on."""
    return zlib.crc32(key.encode()) % HELD_OUT_SHARE == 0


class Draw:
    """A seeded source of choices for one side of the split."""

    def __init__(self, seed: int | str, *, evaluation: bool = False, _random: random.Random | None = None) -> None:
        self.random = _random or random.Random(seed)
        self.evaluation = evaluation

    def training(self) -> Draw:
        """The same source of choices on the training side, for the parts of a held-out chat that are not graded."""
        return Draw(0, _random=self.random)

    def fresh(self, make: Callable[[], tuple[str | None, Item]]) -> Item:
        """Call `make`, which returns a key and an item, until the key is on this draw's side of the split; without a key, an item is for
        training."""
        while True:
            key, item = make()
            if (key is not None and held_out(key)) == self.evaluation:
                return item

    def chance(self, probability: float) -> bool:
        """True this often."""
        return self.random.random() < probability

    def one(self, options: Sequence[Item]) -> Item:
        """One of the options."""
        return self.random.choice(options)

    def some(self, options: Sequence[Item], count: int) -> list[Item]:
        """Different ones of the options, in any order."""
        return self.random.sample(options, count)

    def number(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return self.random.randint(low, high)

    def weighted(self, options: Mapping[Item, float]) -> Item:
        """One of the options, each as often as its weight says."""
        return self.random.choices(list(options), list(options.values()))[0]


def phrase(draw: Draw, templates: Sequence[str], **slots: object) -> str:
    """A template with its slots filled and its own words (never the slots) written carelessly now and then."""
    parts = list(string.Formatter().parse(draw.one(templates)))
    careless = draw.chance(0.22)
    typo = draw.chance(0.05)
    text = ""
    for literal, slot, _, _ in parts:
        words = literal.lower() if careless else literal
        text += _with_typo(draw, words) if typo else words
        text += str(slots[slot]) if slot else ""
    return _ending(draw, text, parts[-1][1] is None)


def _with_typo(draw: Draw, text: str) -> str:
    """Swap two inner letters of one longer word."""
    words = list(re.finditer(r"[A-Za-z]{5,}", text))
    if not words:
        return text
    word = draw.one(words)
    at = draw.number(word.start() + 1, word.end() - 3)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _ending(draw: Draw, text: str, ends_in_own_words: bool) -> str:
    if not ends_in_own_words:
        return text
    if text[-1] in "?.!" and draw.chance(0.18):
        return text[:-1]
    if text.endswith("?") and draw.chance(0.04):
        return text + "?"
    return text
