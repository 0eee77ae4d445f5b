"""Owns questions about numbers: sums, differences, small products, comparisons, counting."""

from __future__ import annotations

from ..samples import Draw, Exchange, phrase
from ..world import NOUNS, NUMBER_WORDS, PLURALS

_SUMS = (
    "What is {a} + {b}?", "what is {a}+{b}?", "{a} + {b}", "{a}+{b}", "{a} + {b} = ?", "{a}+{b}=?", "{a}+{b}=",
    "Add {a} and {b}.", "add {a} and {b}", "Add {b} to {a}", "What is {a} plus {b}?", "how much is {a} plus {b}",
    "What is the sum of {a} and {b}?", "Calculate {a} + {b}.", "Compute {a} + {b}", "What's {a} + {b}?",
    "How much is {a} + {b}?", "Please add {a} and {b}.", "Can you add {a} and {b}?", "Tell me what {a} plus {b} is.",
    "I have {a} {things} and get {b} more. How many do I have?", "Give me {a} + {b}.", "sum {a} and {b}",
    "{a} plus {b}?", "What do you get if you add {a} and {b}?", "Solve {a} + {b}.",
)  # fmt: skip
_DIFFERENCES = (
    "What is {a} - {b}?", "what is {a}-{b}?", "{a} - {b}", "{a}-{b}", "{a} - {b} = ?", "{a}-{b}=?", "{a}-{b}=",
    "Subtract {b} from {a}.", "subtract {b} from {a}", "Take {b} away from {a}.", "What is {a} minus {b}?",
    "how much is {a} minus {b}", "What is the difference of {a} and {b}?", "Calculate {a} - {b}.", "What's {a} - {b}?",
    "How much is {a} - {b}?", "I have {a} {things} and lose {b}. How many are left?", "{a} minus {b}?",
    "What is {a} take away {b}?", "Solve {a} - {b}.", "Compute {a} - {b}", "Tell me what {a} minus {b} is.",
)  # fmt: skip
_PRODUCTS = ("What is {a} times {b}?", "{a} * {b}", "What is {a} * {b}?", "Multiply {a} by {b}.", "{a} times {b}", "{a}*{b}=?")
_COMPARISONS = ("Which is bigger, {a} or {b}?", "Which number is larger, {a} or {b}?", "Is {a} or {b} the bigger number?")
_COUNTS_UP = ("Count to {b}.", "Count up to {b}", "Can you count to {b}?", "Please count to {b}.", "Count from 1 to {b}.")
_COUNTS_BETWEEN = ("Count from {a} to {b}.", "Count up from {a} to {b}", "Please count from {a} to {b}.")
_COUNTS_DOWN = ("Count down from {b}.", "Count down from {b} to 1.", "Count backwards from {b}.")
_NEXT = ("What number comes after {a}?", "Which number comes after {a}?", "What comes after {a}?")


def _operand(draw: Draw, small: bool) -> int:
    return draw.number(0, 20) if small else draw.number(0, 99)


def _result(skill: str, question: str, a: int, sign: str, b: int, result: int) -> Exchange:
    return Exchange(skill, question, f"{a} {sign} {b} = {result}.", str(result), {"result": result})


def _asked(draw: Draw, templates: tuple[str, ...], a: int, b: int) -> str:
    things = PLURALS["apple"] if draw.chance(0.5) else draw.one(NOUNS) + "s"
    if max(a, b) <= 20 and draw.chance(0.12):
        return phrase(draw, templates, a=NUMBER_WORDS[a], b=NUMBER_WORDS[b], things=things)
    return phrase(draw, templates, a=a, b=b, things=things)


def addition(draw: Draw) -> Exchange:
    """A sum of two numbers from 0 to 99."""

    def make() -> tuple[str, tuple[int, int]]:
        small = draw.chance(0.4)
        a, b = _operand(draw, small), _operand(draw, small)
        return f"{a}+{b}", (a, b)

    a, b = draw.fresh(make)
    return _result("sums", _asked(draw, _SUMS, a, b), a, "+", b, a + b)


def subtraction(draw: Draw) -> Exchange:
    """A difference of two numbers from 0 to 99, now and then below zero."""

    def make() -> tuple[str, tuple[int, int]]:
        small = draw.chance(0.4)
        a, b = _operand(draw, small), _operand(draw, small)
        if a < b and draw.chance(0.8):
            a, b = b, a
        return f"{a}-{b}", (a, b)

    a, b = draw.fresh(make)
    return _result("differences", _asked(draw, _DIFFERENCES, a, b), a, "-", b, a - b)


def product(draw: Draw) -> Exchange:
    """The multiplication table up to ten: each product is a fact, so only the phrasing is held out."""
    a, b = draw.number(0, 10), draw.number(0, 10)
    question = draw.fresh(lambda: (text := phrase(draw, _PRODUCTS, a=a, b=b), text))
    return _result("products", question, a, "*", b, a * b)


def comparison(draw: Draw) -> Exchange:
    def make() -> tuple[str, tuple[int, int]]:
        a, b = draw.number(0, 99), draw.number(0, 99)
        return f"{a}?{b}", (a, b if a != b else b + 1)

    a, b = draw.fresh(make)
    high, low = max(a, b), min(a, b)
    question = phrase(draw, _COMPARISONS, a=a, b=b)
    return Exchange("facts", question, f"{high} is bigger than {low}.", str(high), {"bigger": high})


def following_number(draw: Draw) -> Exchange:
    a = draw.number(0, 98)
    question = draw.fresh(lambda: (text := phrase(draw, _NEXT, a=a), text))
    return Exchange("facts", question, f"{a + 1} comes after {a}.", str(a + 1), {"next": a + 1})


def counting(draw: Draw) -> Exchange:
    """Counting up or down, sometimes far, so that a stream has something to show."""

    def make() -> tuple[str, tuple[str, range]]:
        kind = draw.weighted({"up": 5, "between": 3, "down": 2})
        if kind == "up":
            b = draw.number(2, 12) if draw.chance(0.5) else draw.number(13, 50)
            return (text := phrase(draw, _COUNTS_UP, b=b)), (text, range(1, b + 1))
        if kind == "down":
            b = draw.number(3, 20)
            return (text := phrase(draw, _COUNTS_DOWN, b=b)), (text, range(b, 0, -1))
        a = draw.number(2, 60)
        b = a + draw.number(2, 12)
        return (text := phrase(draw, _COUNTS_BETWEEN, a=a, b=b)), (text, range(a, b + 1))

    question, numbers = draw.fresh(make)
    answer = ", ".join(str(number) for number in numbers)
    return Exchange("count", question, answer, answer, {"numbers": list(numbers)})
