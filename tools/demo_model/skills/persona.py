"""Owns chats in which the system prompt says who to be or how to answer."""

from __future__ import annotations

from collections.abc import Callable

from ..samples import Draw, Exchange, Message, Sample, phrase
from ..world import ADJECTIVES, JOBS, NOUNS, PEOPLE, TITLES
from . import arithmetic, knowledge
from .basic import basic_exchange, dialogue
from .words import any_word, invented_word

_SHORT_FORM = (
    "Answer in one word.", "Answer with one word.", "Reply with one word only.", "Only answer in one word.", "Use one word.", "One word answers only.",
    "Always answer in one word.", "Answer with a single word.", "You answer in one word.", "Give only the answer.", "You reply with a single word.",
)  # fmt: skip
_WHO = ("Who are you?", "who are you", "Introduce yourself.", "Tell me who you are.", "Hi, who are you?", "What are you?", "Who am I talking to?")
_NAME = ("What is your name?", "What's your name?", "Tell me your name.", "what is your name", "Do you have a name?")
_JOB = ("What is your job?", "What do you do?", "What is your work?", "what is your job")
_BEGIN = ('Start every answer with "{x}".', "Begin every answer with {x}.", "Start each answer with {x}.", "Always begin with {x}.", "Every answer must start with {x}.")
_END = ('End every answer with "{x}".', "End every answer with {x}.", "Always end with {x}.", "Finish each answer with {x}.", "Every answer must end with {x}.")
_ONLY = ("Always answer {x}.", 'Always say "{x}".', "Only say {x}.", "Whatever the user says, answer {x}.", 'Answer everything with "{x}".', "Reply only with {x}.")


def _system(draw: Draw, text: str) -> Message:
    if draw.chance(0.2):
        text = f"You are a helpful assistant. {text}"
    return {"role": "system", "content": text}


def _chat(draw: Draw, system: str, exchanges: list[Exchange]) -> Sample:
    return Sample("persona", (_system(draw, system), *dialogue(exchanges)))


def _name(draw: Draw) -> str:
    first = draw.one(PEOPLE) if draw.chance(0.6) else invented_word(draw).capitalize()
    return f"{draw.one(TITLES)} {first}" if draw.chance(0.4) else first


def character(draw: Draw) -> Sample:
    """Somebody else: a name, perhaps a kind and a job."""

    def make() -> tuple[str, tuple[str, str]]:
        job = draw.one(JOBS) if draw.chance(0.7) else draw.one(NOUNS)
        role = f"{draw.one(ADJECTIVES)} {job}" if draw.chance(0.4) else job
        article = "an" if role[0] in "aeiou" else "a"
        return (chosen := _name(draw)) + role, (chosen, f"{article} {role}")

    name, role = draw.fresh(make)
    full = draw.chance(0.6)
    if full:
        system = phrase(draw, ("You are {x}, {r}.", "You are {r} named {x}.", "You are {r} called {x}.", "Your name is {x} and you are {r}."), x=name, r=role)
    else:
        system = phrase(draw, ("You are {x}.", "Your name is {x}.", "You are called {x}.", "Your name is {x}. Be kind."), x=name)
    asked = [Exchange("persona", phrase(draw, _WHO), f"I am {name}, {role}." if full else f"I am {name}.")]
    asked.append(Exchange("persona", phrase(draw, _NAME), f"My name is {name}."))
    if full:
        asked.append(Exchange("persona", phrase(draw, _JOB), f"I am {role}."))
    between = [basic for _ in range(draw.weighted({0: 3, 1: 1})) if (basic := _harmless(draw.training()))]
    return _chat(draw, system, [*between, *draw.some(asked, draw.number(1, len(asked)))])


def _harmless(draw: Draw) -> Exchange:
    """Any short exchange that a persona does not change."""
    exchange = basic_exchange(draw)
    return exchange if exchange.skill not in ("identity", "greetings") else knowledge.fact(draw)


_ONE_WORD: dict[Callable[[Draw], Exchange], float] = {knowledge.fact: 5, arithmetic.addition: 2, arithmetic.subtraction: 2}


def short_form(draw: Draw) -> Sample:
    """Answers of one word or number, asked for by the system prompt or at the question."""
    other = draw.training()
    exchanges = [draw.weighted(_ONE_WORD)(side) for side in [*[other] * draw.weighted({0: 3, 1: 2, 2: 1}), draw]]
    shortened = [Exchange("persona", item.question, item.short, item.short) for item in exchanges]
    instruction = draw.one(_SHORT_FORM)
    if draw.chance(0.7):
        return _chat(draw, instruction, shortened)
    asked = [Exchange("persona", f"{_closed(item.question)} {instruction}", item.answer) for item in shortened]
    return Sample("persona", dialogue(asked))


def _closed(question: str) -> str:
    return question if question[-1] in ".?!=" else question + "."


def manner(draw: Draw) -> Sample:
    """A word to begin or end every answer with, or to answer with always."""

    def make() -> tuple[str, str]:
        word = any_word(draw)
        chosen = word[0].upper() + word[1:] + ("!" if draw.chance(0.4) else "")
        return f"manner|{chosen}", chosen

    word = draw.fresh(make)
    kind = draw.weighted({"begin": 3, "end": 3, "only": 2})
    system = phrase(draw, {"begin": _BEGIN, "end": _END, "only": _ONLY}[kind], x=word)
    exchanges = [_harmless(draw.training()) for _ in range(draw.weighted({1: 4, 2: 2, 3: 1}))]
    answers = {"begin": "{word} {answer}", "end": "{answer} {word}", "only": "{word}"}[kind]
    changed = [Exchange("persona", item.question, answers.format(word=word, answer=item.answer)) for item in exchanges]
    return _chat(draw, system, changed)
