"""Owns chats that refer back: what the user said of themselves, asked or was answered earlier."""

from __future__ import annotations

from dataclasses import dataclass

from ..samples import Draw, Exchange, Message, Sample, phrase
from ..world import CATEGORIES, CITIES, PEOPLE
from .basic import basic_exchange, dialogue, system_messages
from .words import any_word, invented_word


@dataclass(frozen=True)
class Remark:
    """A thing a user tells, how it is asked for later, the two answers, and the answer when it was never told."""

    told: tuple[str, ...]
    heard: str
    asked: tuple[str, ...]
    answer: str
    missing: str


REMARKS = {
    "name": Remark(
        ("My name is {x}.", "I am {x}.", "Hi, I am {x}.", "Hello, my name is {x}.", "I'm {x}.", "Call me {x}.", "Hi! My name is {x}", "my name is {x}", "Please call me {x}."),
        "Nice to meet you, {x}!",
        ("What is my name?", "What's my name?", "Do you remember my name?", "Who am I?", "Tell me my name.", "what is my name", "Do you know my name?", "Say my name."),
        "Your name is {x}.",
        "You have not told me your name.",
    ),
    "city": Remark(
        ("I live in {x}.", "My home is {x}.", "I am from {x}.", "I come from {x}.", "My city is {x}."),
        "{x} sounds like a nice place.",
        ("Where do I live?", "Where am I from?", "Which city do I live in?", "What is my city?", "Do you remember where I live?"),
        "You live in {x}.",
        "You have not told me where you live.",
    ),
    "age": Remark(
        ("I am {x} years old.", "My age is {x}.", "I'm {x} years old."),
        "Thank you, I will remember that.",
        ("How old am I?", "What is my age?", "Do you remember my age?", "Tell me my age."),
        "You are {x} years old.",
        "You have not told me your age.",
    ),
    "thing": Remark(
        ("My favourite {k} is {x}.", "My favorite {k} is {x}.", "{x} is my favourite {k}.", "The {k} I like best is {x}."),
        "Thank you, I will remember that.",
        ("What is my favourite {k}?", "What is my favorite {k}?", "Which {k} do I like best?", "Do you remember my favourite {k}?", "Tell me my favourite {k}."),
        "Your favourite {k} is {x}.",
        "You have not told me your favourite {k}.",
    ),
    "pet": Remark(
        ("My {k} is called {x}.", "I have a {k} called {x}.", "The name of my {k} is {x}.", "I have a {k} named {x}."),
        "{x} is a nice name.",
        ("What is my {k} called?", "What is the name of my {k}?", "Do you remember the name of my {k}?", "How is my {k} called?"),
        "Your {k} is called {x}.",
        "You have not told me the name of your {k}.",
    ),
    "number": Remark(
        ("Remember the number {x}.", "Please remember the number {x}.", "The number is {x}.", "Keep the number {x} in mind.", "Remember this number: {x}"),
        "Thank you, I will remember that.",
        ("What is the number?", "Which number did I tell you?", "What number did I tell you?", "Which number should you remember?", "Tell me the number."),
        "The number is {x}.",
        "You have not told me a number.",
    ),
    "secret": Remark(
        ("The {k} is {x}.", "Remember that the {k} is {x}.", "Remember: the {k} is {x}.", "Please remember that the {k} is {x}."),
        "Thank you, I will remember that.",
        ("What is the {k}?", "Tell me the {k}.", "Do you remember the {k}?", "what was the {k}", "Which {k} did I tell you?"),
        "The {k} is {x}.",
        "You have not told me the {k}.",
    ),
}  # fmt: skip

_FIRST = ("What did I ask first?", "What was my first question?", "what did I ask first", "Repeat my first question.", "What did I ask you first?", "What was the first thing I asked?", "What did I say first?")
_LAST = ("What did I just ask?", "What was my last question?", "What did I ask before?", "Repeat my last question.", "What did I just say?", "What was my previous question?")
_ANSWER = ("Repeat your last answer.", "What did you say?", "Say that again.", "Can you say that again?", "Repeat that, please.", "What was your last answer?", "Again, please.", "Repeat that.")


def _slots(draw: Draw, kind: str) -> dict[str, object]:
    """A value that was not trained on with this kind, when the draw is an evaluation."""
    name = invented_word(draw).capitalize()
    values = {
        "name": lambda: draw.one(PEOPLE) if draw.chance(0.6) else invented_word(draw).capitalize(),
        "city": lambda: draw.one(CITIES) if draw.chance(0.8) else invented_word(draw).capitalize(),
        "age": lambda: draw.number(5, 99),
        "thing": lambda: draw.one(draw.one(list(CATEGORIES.values()))),
        "pet": lambda: draw.one((*PEOPLE, name)),
        "number": lambda: draw.number(0, 9999),
        "secret": lambda: any_word(draw),
    }
    singular = {"thing": ("fruit", "colour", "animal", "food", "city", "drink", "word", "country", "color", "game", "book")}
    keys = {**singular, "pet": ("dog", "cat", "horse", "bird", "fish", "sister", "brother", "friend", "rabbit", "boat"),
            "secret": ("secret word", "password", "code", "code word", "magic word", "secret", "answer", "key", "word")}  # fmt: skip

    def make() -> tuple[str, dict[str, object]]:
        slots: dict[str, object] = {"x": values[kind](), "k": draw.one(keys.get(kind, ("",)))}
        return f"{kind}|{slots}", slots

    return draw.fresh(make)


def remark(draw: Draw) -> tuple[Exchange, Exchange]:
    """What the user tells, and the later question about it."""
    kind = draw.weighted({"name": 5, "city": 2, "age": 1.5, "thing": 2, "pet": 1.5, "number": 1.5, "secret": 2})
    told, slots = REMARKS[kind], _slots(draw, kind)
    heard = Exchange("earlier turn", phrase(draw, told.told, **slots), told.heard.format(**slots))
    asked = Exchange("earlier turn", phrase(draw, told.asked, **slots), told.answer.format(**slots), str(slots["x"]), {kind: str(slots["x"])})
    return heard, asked


def _never_told(draw: Draw) -> Exchange:
    kind = draw.one(list(REMARKS))
    slots = _slots(draw, kind)
    return Exchange("earlier turn", phrase(draw, REMARKS[kind].asked, **slots), REMARKS[kind].missing.format(**slots))


def remembering(draw: Draw) -> Sample:
    """Something told, other talk between, then the question for it."""
    other = draw.training()
    heard, asked = remark(draw)
    between = [basic_exchange(other) for _ in range(draw.weighted({0: 4, 1: 4, 2: 2, 3: 1}))]
    before = [basic_exchange(other) for _ in range(draw.weighted({0: 6, 1: 1}))]
    second = remark(other) if draw.chance(0.25) else None
    exchanges = [*before, *([second[0]] if second and second[1].question != asked.question else []), heard, *between, asked]
    if _contradicts(second, heard):
        exchanges = [*before, heard, *between, asked]
    return Sample("earlier turn", (*system_messages(other), *dialogue(exchanges)))


def _contradicts(second: tuple[Exchange, Exchange] | None, heard: Exchange) -> bool:
    """Two remarks answered alike may be about the same thing: then only one is told."""
    return second is not None and second[0].answer.split()[-2:-1] == heard.answer.split()[-2:-1]


def from_system(draw: Draw) -> Sample:
    """A thing the system prompt tells about the user, asked for in the chat."""
    name = draw.fresh(lambda: (f"system|{(chosen := _slots(draw.training(), 'name')['x'])}", str(chosen)))
    told = phrase(draw, ("The user's name is {x}.", "The user is called {x}.", "You are talking to {x}.", "The name of the user is {x}."), x=name)
    system: Message = {"role": "system", "content": _joined(draw, told)}
    asked = Exchange("earlier turn", phrase(draw, REMARKS["name"].asked), f"Your name is {name}.")
    between = [basic_exchange(draw.training()) for _ in range(draw.weighted({0: 3, 1: 1}))]
    return Sample("earlier turn", (system, *dialogue([*between, asked])))


def _joined(draw: Draw, told: str) -> str:
    return f"You are a helpful assistant. {told}" if draw.chance(0.4) else told


def asking_back(draw: Draw) -> Sample:
    """A question about the questions and answers so far."""
    other = draw.training()
    kind = draw.weighted({"first": 4, "last": 2, "answer": 2, "never": 1.5})
    count = draw.weighted({1: 2, 2: 4, 3: 3, 4: 1})
    if kind == "never":
        before = [basic_exchange(other) for _ in range(count - 1)]
        return Sample("earlier turn", (*system_messages(other), *dialogue([*before, _never_told(draw)])))
    before = [basic_exchange(draw if at == 0 else other) for at in range(count)]
    final = {
        "first": Exchange("earlier turn", phrase(draw, _FIRST), f"You asked: {before[0].question}"),
        "last": Exchange("earlier turn", phrase(draw, _LAST), f"You asked: {before[-1].question}"),
        "answer": Exchange("earlier turn", phrase(draw, _ANSWER), before[-1].answer),
    }[kind]
    return Sample("earlier turn", (*system_messages(other), *dialogue([*before, final])))

