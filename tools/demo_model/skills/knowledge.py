"""Owns questions about the facts of the model's world, and the polite answer to what it does not know."""

from __future__ import annotations

from collections.abc import Callable

from tools.demo_model.samples import Draw, Exchange, phrase
from tools.demo_model.skills.words import invented_word
from tools.demo_model.wordings import wordings
from tools.demo_model.world import (  # fmt: skip
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


def _fact(draw: Draw, templates: list[str], x: str, answer: str, short: str, name: str, **slots: str) -> Exchange:
    """Hold out the pair of template and thing, so that every fact is learned but not in every wording."""
    template = draw.fresh(lambda: (f"{(chosen := draw.one(templates))}|{x}", chosen))
    shown = x.lower() if draw.chance(0.12) else x
    return Exchange("facts", phrase(draw, (template,), x=shown, **slots), answer, short, {name: short})


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def capital(draw: Draw) -> Exchange:
    """The capital of a country, or the country of a capital."""
    country, city = draw.one(list(CAPITALS.items()))
    if draw.chance(0.15):
        return _fact(draw, _ASKED["country"], city, f"{city} is the capital of {country}.", country, "country")
    return _fact(draw, _ASKED["capital"], country, f"The capital of {country} is {city}.", city, "capital")


def colour(draw: Draw) -> Exchange:
    """The colour of a thing."""
    thing, tint = draw.one(list(COLOURS.items()))
    return _fact(draw, _ASKED["colour"], thing, f"{_sentence(thing)} is {tint}.", tint, "color")


def sound(draw: Draw) -> Exchange:
    """What an animal says."""
    animal, noise = draw.one(list(SOUNDS.items()))
    article = "An" if animal[0] in "aeiou" else "A"
    return _fact(draw, _ASKED["sound"], animal, f"{article} {animal} says {noise}.", noise, "sound")


def opposite(draw: Draw) -> Exchange:
    """The opposite of a word."""
    word, other = draw.one(list(OPPOSITES.items()))
    return _fact(draw, _ASKED["opposite"], word, f"The opposite of {word} is {other}.", other, "opposite")


def plural(draw: Draw) -> Exchange:
    """The plural of a word."""
    word, many = draw.one(list(PLURALS.items()))
    return _fact(draw, _ASKED["plural"], word, f"The plural of {word} is {many}.", many, "plural")


def amount(draw: Draw) -> Exchange:
    """How many there are of something that everybody knows."""
    question, answer = draw.one(list(AMOUNTS.items()))
    number = answer.split()[0]
    exchange = _fact(draw, _ASKED["amount"], question, f"{_sentence(answer)}.", number, "count")
    return Exchange("facts", exchange.question, exchange.answer, number, {"count": int(number)})


def neighbour(draw: Draw) -> Exchange:
    """The day or month before or after another one."""
    kind, names = draw.one((("day", DAYS), ("month", MONTHS)))
    at = draw.number(0, len(names) - 1)
    after = draw.chance(0.6)
    other = names[(at + (1 if after else -1)) % len(names)]
    answer = f"{other} comes {'after' if after else 'before'} {names[at]}."
    return _fact(draw, _ASKED["after"] if after else _ASKED["before"], names[at], answer, other, kind, kind=kind)


def members(draw: Draw) -> Exchange:
    """Some members of a category."""

    def make() -> tuple[str, tuple[str, list[str]]]:
        category, names = draw.one(list(CATEGORIES.items()))
        count = draw.number(2, min(len(names), 6))
        shown = ("zero", "one", "two", "three", "four", "five", "six")[count] if draw.chance(0.5) else count
        return f"{category}{count}", (phrase(draw, _ASKED["named"], n=shown, x=category), names[:count])

    question, names = draw.fresh(make) if draw.evaluation else make()[1]
    answer = ", ".join(names)
    return Exchange("list", question, answer, answer, {"items": names})


def whole_list(draw: Draw) -> Exchange:
    """A list that everybody knows, in full."""
    lists = {
        "days of the week": DAYS, "months of the year": MONTHS, "days": DAYS, "months": MONTHS,
        "planets": CATEGORIES["planets"], "seasons": CATEGORIES["seasons"], "letters of the alphabet": ALPHABET,
    }  # fmt: skip
    name, names = draw.one(list(lists.items()))
    template = draw.fresh(lambda: (f"{(chosen := draw.one(_ASKED['all']))}|{name}", chosen))
    answer = ", ".join(names)
    return Exchange("list", phrase(draw, (template,), x=name), answer, answer, {"items": names})


def unknown(draw: Draw) -> Exchange:
    """A question outside the model's world."""

    def make() -> tuple[str, str]:
        text = phrase(
            draw, _ASKED["unknown"], noun=draw.one(NOUNS), topic=draw.one(TOPICS), verb=draw.one(VERBS), person=draw.one(PEOPLE),
            adjective=draw.one(ADJECTIVES), strange=invented_word(draw).capitalize(), year=draw.number(1400, 2030),
        )  # fmt: skip
        return text.lower(), text

    return Exchange("unknown", draw.fresh(make), UNKNOWN, "unknown", {"answer": "unknown"})


FACTS: dict[Callable[[Draw], Exchange], float] = {
    capital: 6, colour: 2.5, sound: 2, opposite: 2.5, plural: 1, amount: 1.5, neighbour: 2,
}  # fmt: skip


def fact(draw: Draw) -> Exchange:
    """Any fact."""
    return draw.weighted(FACTS)(draw)
