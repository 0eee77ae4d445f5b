"""Owns questions about the facts of the model's world, and the polite answer to what it does not know."""

from __future__ import annotations

from collections.abc import Callable

from ..samples import Draw, Exchange, phrase
from ..world import (
    ADJECTIVES, CAPITALS, CATEGORIES, COLOURS, COUNT_ANSWERS, DAYS, MONTHS, NOUNS, OPPOSITES, PEOPLE, PLURALS, SOUNDS,
    TOPICS, UNKNOWN, VERBS,
)  # fmt: skip
from .words import invented_word

_CAPITAL = (
    "What is the capital of {x}?", "what is the capital of {x}", "Capital of {x}?", "What's the capital of {x}?",
    "Tell me the capital of {x}.", "Which city is the capital of {x}?", "Do you know the capital of {x}?",
    "Name the capital of {x}.", "What is the capital city of {x}?", "What city is the capital of {x}?",
    "Can you tell me the capital of {x}?", "{x} has which capital?", "Please tell me the capital of {x}.",
    "I want to know the capital of {x}.", "the capital of {x} is?",
)  # fmt: skip
_COUNTRY = ("{x} is the capital of which country?", "Which country has the capital {x}?", "What country is {x} the capital of?")
_COLOUR = (
    "What colour is {x}?", "What color is {x}?", "which colour is {x}", "What is the colour of {x}?",
    "What is the color of {x}?", "Tell me the colour of {x}.", "Do you know what color {x} is?", "Colour of {x}?",
)  # fmt: skip
_SOUND = (
    "What sound does a {x} make?", "What does a {x} say?", "what does the {x} say", "How does a {x} sound?",
    "Which sound does the {x} make?", "Tell me what a {x} says.", "What noise does a {x} make?",
)  # fmt: skip
_OPPOSITE = (
    "What is the opposite of {x}?", "Opposite of {x}?", "what's the opposite of {x}", "Tell me the opposite of {x}.",
    "Give me the opposite of {x}.", "Which word is the opposite of {x}?", "Name the opposite of {x}.",
)  # fmt: skip
_PLURAL = ("What is the plural of {x}?", "Plural of {x}?", "What's the plural of {x}?", "Tell me the plural of {x}.", "Give me the plural of {x}.")
_AMOUNT = ("How many {x}?", "how many {x}", "Tell me how many {x}.", "Do you know how many {x}?", "Can you tell me how many {x}?")
_AFTER = ("What {kind} comes after {x}?", "Which {kind} comes after {x}?", "what comes after {x}", "Which {kind} follows {x}?", "What is the {kind} after {x}?")
_BEFORE = ("What {kind} comes before {x}?", "Which {kind} comes before {x}?", "what comes before {x}", "What is the {kind} before {x}?")
_NAMED = ("List {n} {x}.", "Name {n} {x}.", "Give me {n} {x}.", "Tell me {n} {x}.", "list {n} {x}", "Can you name {n} {x}?", "Please list {n} {x}.")
_ALL = ("List the {x}.", "Name the {x}.", "What are the {x}?", "Tell me the {x}.", "list all the {x}", "Can you list the {x}?", "Say the {x}.", "Please list all {x}.")
_UNKNOWN = (
    "Who invented the {noun}?", "Explain {topic}.", "What do you think about {topic}?", "Tell me about {topic}.",
    "How do I {verb} a {noun}?", "Why is the {noun} {adjective}?", "Who is {person} {strange}?", "What is a {strange}?",
    "What is the capital of {strange}?", "Where can I {verb} a {adjective} {noun}?", "What is the meaning of {topic}?",
    "When was the {noun} discovered?", "How does {topic} work?", "What is the population of {strange}?", "Define {topic}.",
    "Can you explain {topic} to me?", "Who won the {noun} cup in {year}?", "What happened in {year}?",
    "Write an essay about {topic}.", "Translate {noun} into French.", "How old is {person} {strange}?",
    "What is the best {noun}?", "Do you like {topic}?", "Summarize {topic}.", "How far away is the {noun}?",
    "What is the weather like today?", "What time is it?", "What is the news about {topic}?", "Where is {strange}?",
    "Write code for {topic}.", "Describe {topic} in detail.", "What is {topic}?", "Why does the {noun} {verb}?",
)  # fmt: skip


def _fact(draw: Draw, templates: tuple[str, ...], x: str, answer: str, short: str, name: str, **slots: str) -> Exchange:
    """Hold out the pair of template and thing, so that every fact is learned but not in every wording."""
    template = draw.fresh(lambda: (f"{(chosen := draw.one(templates))}|{x}", chosen))
    shown = x.lower() if draw.chance(0.12) else x
    return Exchange("facts", phrase(draw, (template,), x=shown, **slots), answer, short, {name: short})


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def capital(draw: Draw) -> Exchange:
    country, city = draw.one(list(CAPITALS.items()))
    if draw.chance(0.15):
        return _fact(draw, _COUNTRY, city, f"{city} is the capital of {country}.", country, "country")
    return _fact(draw, _CAPITAL, country, f"The capital of {country} is {city}.", city, "capital")


def colour(draw: Draw) -> Exchange:
    thing, tint = draw.one(list(COLOURS.items()))
    return _fact(draw, _COLOUR, thing, f"{_sentence(thing)} is {tint}.", tint, "color")


def sound(draw: Draw) -> Exchange:
    animal, noise = draw.one(list(SOUNDS.items()))
    article = "An" if animal[0] in "aeiou" else "A"
    return _fact(draw, _SOUND, animal, f"{article} {animal} says {noise}.", noise, "sound")


def opposite(draw: Draw) -> Exchange:
    word, other = draw.one(list(OPPOSITES.items()))
    return _fact(draw, _OPPOSITE, word, f"The opposite of {word} is {other}.", other, "opposite")


def plural(draw: Draw) -> Exchange:
    word, many = draw.one(list(PLURALS.items()))
    return _fact(draw, _PLURAL, word, f"The plural of {word} is {many}.", many, "plural")


def amount(draw: Draw) -> Exchange:
    question, answer = draw.one(list(COUNT_ANSWERS.items()))
    number = answer.split()[0]
    exchange = _fact(draw, _AMOUNT, question, f"{_sentence(answer)}.", number, "count")
    return Exchange("facts", exchange.question, exchange.answer, number, {"count": int(number)})


def neighbour(draw: Draw) -> Exchange:
    """The day or month before or after another one."""
    kind, names = draw.one((("day", DAYS), ("month", MONTHS)))
    at = draw.number(0, len(names) - 1)
    after = draw.chance(0.6)
    other = names[(at + (1 if after else -1)) % len(names)]
    answer = f"{other} comes {'after' if after else 'before'} {names[at]}."
    return _fact(draw, _AFTER if after else _BEFORE, names[at], answer, other, kind, kind=kind)


def members(draw: Draw) -> Exchange:
    """Some members of a category."""

    def make() -> tuple[str, tuple[str, list[str]]]:
        category, names = draw.one(list(CATEGORIES.items()))
        count = draw.number(2, min(len(names), 6))
        shown = ("zero", "one", "two", "three", "four", "five", "six")[count] if draw.chance(0.5) else count
        return f"{category}{count}", (phrase(draw, _NAMED, n=shown, x=category), names[:count])

    question, names = draw.fresh(make) if draw.evaluation else make()[1]
    answer = ", ".join(names)
    return Exchange("list", question, answer, answer, {"items": names})


def whole_list(draw: Draw) -> Exchange:
    """A list that everybody knows, in full."""
    lists = {
        "days of the week": DAYS, "months of the year": MONTHS, "days": DAYS, "months": MONTHS,
        "planets": CATEGORIES["planets"], "seasons": CATEGORIES["seasons"], "letters of the alphabet": list("abcdefghijklmnopqrstuvwxyz"),
    }  # fmt: skip
    name, names = draw.one(list(lists.items()))
    template = draw.fresh(lambda: (f"{(chosen := draw.one(_ALL))}|{name}", chosen))
    answer = ", ".join(names)
    return Exchange("list", phrase(draw, (template,), x=name), answer, answer, {"items": names})


def unknown(draw: Draw) -> Exchange:
    """A question outside the model's world."""

    def make() -> tuple[str, str]:
        text = phrase(
            draw, _UNKNOWN, noun=draw.one(NOUNS), topic=draw.one(TOPICS).strip(), verb=draw.one(VERBS), person=draw.one(PEOPLE),
            adjective=draw.one(ADJECTIVES), strange=invented_word(draw).capitalize(), year=draw.number(1400, 2030),
        )  # fmt: skip
        return text.lower(), text

    return Exchange("unknown", draw.fresh(make), UNKNOWN, "unknown", {"answer": "unknown"})


FACTS: dict[Callable[[Draw], Exchange], float] = {
    capital: 6, colour: 2.5, sound: 2, opposite: 2.5, plural: 1, amount: 1.5, neighbour: 2,
}  # fmt: skip


def fact(draw: Draw) -> Exchange:
    return draw.weighted(FACTS)(draw)
