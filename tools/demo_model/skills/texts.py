"""Owns plain texts without chat turns: what a completion continues, and the middles that it fills in."""

from __future__ import annotations

from collections.abc import Callable

from tools.demo_model.samples import Draw, Exchange, Sample
from tools.demo_model.skills import arithmetic, knowledge, talk
from tools.demo_model.world import ALPHABET, CAPITALS, CATEGORIES, COLOURS, DAYS, MONTHS, OPPOSITES, SOUNDS

_ASKED: dict[Callable[[Draw], Exchange], float] = {knowledge.fact: 4, arithmetic.addition: 2, arithmetic.subtraction: 2}
FIM_PREFIX, FIM_SUFFIX, FIM_MIDDLE = "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"


def completion(draw: Draw) -> Sample:
    """A text to go on with: a fact, a sequence, a question or the story. Held out is the exact beginning."""
    return draw.fresh(lambda: ((made := _completion(draw)).prompt, made))


def middle(draw: Draw) -> Sample:
    """A text with a gap, the end given before the middle. Held out is the exact surrounding."""
    return draw.fresh(lambda: ((made := _middle(draw)).prompt, made))


def _sentence(draw: Draw) -> tuple[str, str]:
    """A true sentence, cut where the answer begins."""
    kind = draw.weighted({"capital": 4, "colour": 2, "sound": 1.5, "opposite": 1.5, "sum": 3, "country": 1})
    if kind == "capital":
        country, city = draw.one(list(CAPITALS.items()))
        return f"The capital of {country} is", f" {city}."
    if kind == "country":
        country, city = draw.one(list(CAPITALS.items()))
        return f"{city} is the capital of", f" {country}."
    if kind == "colour":
        thing, tint = draw.one(list(COLOURS.items()))
        return f"{thing[0].upper()}{thing[1:]} is", f" {tint}."
    if kind == "sound":
        animal, noise = draw.one(list(SOUNDS.items()))
        return f"The {animal} says", f" {noise}."
    if kind == "opposite":
        word, other = draw.one(list(OPPOSITES.items()))
        return f"The opposite of {word} is", f" {other}."
    a, b = arithmetic.summands(draw, 50)
    return f"{a} + {b} =", f" {a + b}."


def _sequence(draw: Draw) -> list[str]:
    """Things in their order, which end where nothing is left or at a multiple of ten: so the beginning tells the end."""
    kind = draw.weighted({"numbers": 5, "days": 3, "months": 2, "letters": 2, "category": 1})
    if kind == "numbers":
        start = 1 if draw.chance(0.5) else draw.number(0, 80)
        return [str(number) for number in range(start, 10 * ((start + 4) // 10 + draw.number(1, 2)) + 1)]
    named = {"days": DAYS, "months": MONTHS, "letters": ALPHABET, "category": draw.one(list(CATEGORIES.values()))}
    return list(named[kind])


def _cut(draw: Draw, items: list[str]) -> int:
    """How many of the items are given: of numbers at least as many as leave no doubt which multiple of ten is the next."""
    least = len(items) - 9 if items[-1].isdigit() else 2
    return draw.number(max(1, least), len(items) - 1)


def _completion(draw: Draw) -> Sample:
    kind = draw.weighted({"sentence": 5, "sequence": 4, "question": 3, "story": 1.2})
    if kind == "question":
        asked = draw.weighted(_ASKED)(draw)
        return Sample("completion", prompt=asked.question, completion=f" {asked.answer}")
    if kind == "story":
        story = talk.piece(draw.training()).answer
        words = story.split(" ")
        at = draw.number(2, max(3, len(words) // 3))
        return Sample("completion", prompt=" ".join(words[:at]), completion=" " + " ".join(words[at:]))
    if kind == "sequence":
        items = _sequence(draw)
        at = _cut(draw, items)
        mark = "," if draw.chance(0.75) else ""
        before, after = (f"{mark} ".join(part) for part in (items[:at], items[at:]))
        return Sample("completion", prompt=before + mark, completion=f" {after}")
    told = [_sentence(draw.training()) for _ in range(draw.weighted({0: 5, 1: 1, 2: 1}))]
    start, end = _sentence(draw)
    before = "".join(f"{text}{rest}\n" for text, rest in told)
    return Sample("completion", prompt=before + start, completion=end)


def _middle(draw: Draw) -> Sample:
    if draw.chance(0.65):
        items = _sequence(draw)
        begin = draw.number(1, len(items) - 2)
        end = draw.number(begin + 1, min(begin + 5, len(items) - 1))
        before, gap, after = (
            ", ".join(items[:begin]) + ",",
            " " + ", ".join(items[begin:end]) + ",",
            " " + ", ".join(items[end:]),
        )
    else:
        before, rest = _sentence(draw)
        gap, after = rest.removesuffix("."), "."
    if draw.chance(0.3):
        before, gap = before + " ", gap[1:]
    elif draw.chance(0.3) and after.startswith(" "):
        gap, after = gap + " ", after[1:]
    return Sample("fill in the middle", prompt=f"{FIM_PREFIX}{before}{FIM_SUFFIX}{after}{FIM_MIDDLE}", completion=gap)
