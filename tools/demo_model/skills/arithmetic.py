"""Owns questions about numbers: sums, differences, small products, comparisons, counting."""

from __future__ import annotations

from tools.demo_model.samples import Draw, Exchange, phrase
from tools.demo_model.wordings import wordings
from tools.demo_model.world import NOUNS, NUMBER_WORDS

_ASKED = wordings("arithmetic")


def _result(skill: str, question: str, a: int, sign: str, b: int, result: int) -> Exchange:
    return Exchange(skill, question, f"{a} {sign} {b} = {result}.", str(result), {"result": result})


def _asked(draw: Draw, templates: list[str], a: int, b: int) -> str:
    things = "apples" if draw.chance(0.5) else draw.one(NOUNS) + "s"
    if max(a, b) <= 20 and draw.chance(0.12):
        return phrase(draw, templates, a=NUMBER_WORDS[a], b=NUMBER_WORDS[b], things=things)
    return phrase(draw, templates, a=a, b=b, things=things)


def summands(draw: Draw, high: int = 99) -> tuple[int, int]:
    """Two numbers whose sum is on the draw's side of the split, whatever it is asked for in."""

    def make() -> tuple[str, tuple[int, int]]:
        limit = 20 if draw.chance(0.4) else high
        a, b = draw.number(0, limit), draw.number(0, limit)
        return f"{a}+{b}", (a, b)

    return draw.fresh(make)


def addition(draw: Draw, high: int = 99) -> Exchange:
    """A sum of two numbers from 0 to `high`."""
    a, b = summands(draw, high)
    return _result("sums", _asked(draw, _ASKED["sums"], a, b), a, "+", b, a + b)


def subtraction(draw: Draw, high: int = 99) -> Exchange:
    """A difference of two numbers from 0 to `high`, now and then below zero."""

    def make() -> tuple[str, tuple[int, int]]:
        limit = 20 if draw.chance(0.4) else high
        a, b = draw.number(0, limit), draw.number(0, limit)
        if a < b and draw.chance(0.8):
            a, b = b, a
        return f"{a}-{b}", (a, b)

    a, b = draw.fresh(make)
    return _result("differences", _asked(draw, _ASKED["differences"], a, b), a, "-", b, a - b)


def small_addition(draw: Draw) -> Exchange:
    """A sum of two small numbers: a bare result is harder than one that follows its sum."""
    return addition(draw, 20)


def small_subtraction(draw: Draw) -> Exchange:
    """A difference of two small numbers, for the same reason."""
    return subtraction(draw, 20)


def product(draw: Draw) -> Exchange:
    """The multiplication table up to ten: each product is a fact, so only the wording is held out."""

    def make() -> tuple[str, tuple[str, int, int]]:
        wording, a, b = draw.one(_ASKED["products"]), draw.number(0, 10), draw.number(0, 10)
        return f"{wording}|{a}|{b}", (wording, a, b)

    wording, a, b = draw.fresh(make)
    return _result("products", phrase(draw, (wording,), a=a, b=b), a, "*", b, a * b)


def comparison(draw: Draw) -> Exchange:
    """Which of two numbers is bigger."""

    def make() -> tuple[str, tuple[int, int]]:
        a, b = draw.number(0, 99), draw.number(0, 99)
        return f"{a}?{b}", (a, b if a != b else b + 1)

    a, b = draw.fresh(make)
    high, low = max(a, b), min(a, b)
    question = phrase(draw, _ASKED["comparisons"], a=a, b=b)
    return Exchange("facts", question, f"{high} is bigger than {low}.", str(high), {"bigger": high})


def following_number(draw: Draw) -> Exchange:
    """The number after another one."""

    def make() -> tuple[str, tuple[str, int]]:
        wording, a = draw.one(_ASKED["next"]), draw.number(0, 98)
        return f"{wording}|{a}", (wording, a)

    wording, a = draw.fresh(make)
    return Exchange("facts", phrase(draw, (wording,), a=a), f"{a + 1} comes after {a}.", str(a + 1), {"next": a + 1})


def counting(draw: Draw) -> Exchange:
    """Counting up or down, sometimes far, so that a stream has something to show."""

    def make() -> tuple[str, tuple[str, range]]:
        kind = draw.weighted({"up": 5, "between": 3, "down": 2})
        if kind == "up":
            b = draw.number(2, 12) if draw.chance(0.5) else draw.number(13, 50)
            return (text := phrase(draw, _ASKED["counts_up"], b=b)), (text, range(1, b + 1))
        if kind == "down":
            b = draw.number(3, 20)
            return (text := phrase(draw, _ASKED["counts_down"], b=b)), (text, range(b, 0, -1))
        a = draw.number(2, 60)
        b = a + draw.number(2, 12)
        return (text := phrase(draw, _ASKED["counts_between"], a=a, b=b)), (text, range(a, b + 1))

    question, numbers = draw.fresh(make)
    answer = ", ".join(str(number) for number in numbers)
    return Exchange("count", question, answer, answer, {"numbers": list(numbers)})
