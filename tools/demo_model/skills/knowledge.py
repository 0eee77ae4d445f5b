"""Owns questions about the facts of the model's world, and the polite answer to what it does not know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tools.demo_model.samples import Draw, Exchange, phrase
from tools.demo_model.skills.words import invented_word
from tools.demo_model.wordings import wordings
from tools.demo_model.world import (
    ADJECTIVES,
    ALPHABET,
    AMOUNTS,
    CAPITALS,
    CATEGORIES,
    COLOURS,
    DAYS,
    MONTHS,
    NOUNS,
    OPPOSITES,
    PEOPLE,
    PLURALS,
    SOUNDS,
    TOPICS,
    UNKNOWN,
    VERBS,
)

_ASKED = wordings("knowledge")
_LISTS = {
    "days of the week": DAYS,
    "months of the year": MONTHS,
    "days": DAYS,
    "months": MONTHS,
    "planets": CATEGORIES["planets"],
    "seasons": CATEGORIES["seasons"],
    "letters of the alphabet": ALPHABET,
}


@dataclass(frozen=True)
class Fact:
    """What is known of a thing: its wordings, the whole answer, the answer as one word and the name of that word."""

    asked: list[str]
    thing: str
    answer: str
    short: str
    name: str
    kind: str = ""


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _capital(draw: Draw) -> Fact:
    country, city = draw.one(list(CAPITALS.items()))
    if draw.chance(0.15):
        return Fact(_ASKED["country"], city, f"{city} is the capital of {country}.", country, "country")
    return Fact(_ASKED["capital"], country, f"The capital of {country} is {city}.", city, "capital")


def _colour(draw: Draw) -> Fact:
    thing, tint = draw.one(list(COLOURS.items()))
    return Fact(_ASKED["colour"], thing, f"{_sentence(thing)} is {tint}.", tint, "color")


def _sound(draw: Draw) -> Fact:
    animal, noise = draw.one(list(SOUNDS.items()))
    article = "An" if animal[0] in "aeiou" else "A"
    return Fact(_ASKED["sound"], animal, f"{article} {animal} says {noise}.", noise, "sound")


def _opposite(draw: Draw) -> Fact:
    word, other = draw.one(list(OPPOSITES.items()))
    return Fact(_ASKED["opposite"], word, f"The opposite of {word} is {other}.", other, "opposite")


def _plural(draw: Draw) -> Fact:
    word, many = draw.one(list(PLURALS.items()))
    return Fact(_ASKED["plural"], word, f"The plural of {word} is {many}.", many, "plural")


def _amount(draw: Draw) -> Fact:
    things, number = draw.one(list(AMOUNTS.items()))
    return Fact(_ASKED["amount"], things, f"{number} {things.split()[0]}.", number, "count")


def _neighbour(draw: Draw) -> Fact:
    """The day or month before or after another one."""
    kind, names = draw.one((("day", DAYS), ("month", MONTHS)))
    at = draw.number(0, len(names) - 1)
    side = "after" if draw.chance(0.6) else "before"
    other = names[(at + (1 if side == "after" else -1)) % len(names)]
    return Fact(_ASKED[side], names[at], f"{other} comes {side} {names[at]}.", other, kind, kind)


FACTS: dict[Callable[[Draw], Fact], float] = {
    _capital: 6, _colour: 2.5, _sound: 2, _opposite: 2.5, _plural: 1, _amount: 1.5, _neighbour: 2,
}  # fmt: skip


def fact(draw: Draw) -> Exchange:
    """Any fact. Held out is the pair of wording and thing: every fact is learned, but not in every wording."""

    def make() -> tuple[str, tuple[Fact, str]]:
        known = draw.weighted(FACTS)(draw)
        wording = draw.one(known.asked)
        return f"{wording}|{known.thing}", (known, wording)

    known, wording = draw.fresh(make)
    thing = known.thing.lower() if draw.chance(0.12) else known.thing
    question = phrase(draw, (wording,), x=thing, kind=known.kind)
    value = int(known.short) if known.short.isdigit() else known.short
    return Exchange("facts", question, known.answer, known.short, {known.name: value})


def members(draw: Draw) -> Exchange:
    """Some members of a category. Held out are some categories' counts, in the second half of the wordings."""

    def make() -> tuple[str | None, tuple[str, list[str]]]:
        category, names = draw.one(list(CATEGORIES.items()))
        count = draw.number(2, min(len(names), 6))
        shown = ("zero", "one", "two", "three", "four", "five", "six")[count] if draw.chance(0.5) else count
        wording = draw.number(0, len(_ASKED["named"]) - 1)
        key = f"{category}{shown}" if wording >= len(_ASKED["named"]) // 2 else None
        return key, (phrase(draw, (_ASKED["named"][wording],), n=shown, x=category), names[:count])

    question, names = draw.fresh(make)
    answer = ", ".join(names)
    return Exchange("list", question, answer, answer, {"items": names})


def whole_list(draw: Draw) -> Exchange:
    """A list that everybody knows, in full."""

    def make() -> tuple[str, tuple[str, str]]:
        wording, name = draw.one(_ASKED["all"]), draw.one(list(_LISTS))
        return f"{wording}|{name}", (wording, name)

    wording, name = draw.fresh(make)
    answer = ", ".join(_LISTS[name])
    return Exchange("list", phrase(draw, (wording,), x=name), answer, answer, {"items": _LISTS[name]})


def unknown(draw: Draw) -> Exchange:
    """A question outside the model's world."""

    def make() -> tuple[str, str]:
        text = phrase(
            draw, _ASKED["unknown"], noun=draw.one(NOUNS), topic=draw.one(TOPICS), verb=draw.one(VERBS), person=draw.one(PEOPLE),
            adjective=draw.one(ADJECTIVES), strange=invented_word(draw).capitalize(), year=draw.number(1400, 2030),
        )  # fmt: skip
        return text.lower(), text

    return Exchange("unknown", draw.fresh(make), UNKNOWN, "unknown", {"answer": "unknown"})
