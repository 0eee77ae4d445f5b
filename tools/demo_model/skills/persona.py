"""Owns chats in which the system prompt says who to be or how to answer."""

from __future__ import annotations

from collections.abc import Callable

from tools.demo_model.samples import Draw, Exchange, Message, Sample, phrase
from tools.demo_model.skills import arithmetic, knowledge
from tools.demo_model.skills.basic import basic_exchange, dialogue
from tools.demo_model.skills.words import any_word, person
from tools.demo_model.wordings import wordings
from tools.demo_model.world import ADJECTIVES, JOBS, NOUNS, TITLES

_WORDS = wordings("persona")


def _system(draw: Draw, text: str) -> Message:
    if draw.chance(0.2):
        text = f"You are a helpful assistant. {text}"
    return {"role": "system", "content": text}


def _chat(draw: Draw, system: str, exchanges: list[Exchange]) -> Sample:
    return Sample("persona", (_system(draw, system), *dialogue(exchanges)))


def _name(draw: Draw) -> str:
    first = person(draw)
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
    system = phrase(draw, _WORDS["named_with_role" if full else "named"], x=name, r=role)
    asked = [Exchange("persona", phrase(draw, _WORDS["who"]), f"I am {name}, {role}." if full else f"I am {name}.")]
    asked.append(Exchange("persona", phrase(draw, _WORDS["name"]), f"My name is {name}."))
    if full:
        asked.append(Exchange("persona", phrase(draw, _WORDS["job"]), f"I am {role}."))
    between = [_harmless(draw.training()) for _ in range(draw.weighted({0: 3, 1: 1}))]
    return _chat(draw, system, [*between, *draw.some(asked, draw.number(1, len(asked)))])


def _harmless(draw: Draw) -> Exchange:
    """Any short exchange that a persona does not change."""
    exchange = basic_exchange(draw)
    return exchange if exchange.skill not in ("identity", "greetings") else knowledge.fact(draw)


_ONE_WORD: dict[Callable[[Draw], Exchange], float] = {
    knowledge.fact: 5,
    arithmetic.small_addition: 2,
    arithmetic.small_subtraction: 2,
}


def short_form(draw: Draw) -> Sample:
    """Answers of one word or number, asked for by the system prompt or at the question."""
    other = draw.training()
    exchanges = [draw.weighted(_ONE_WORD)(side) for side in [*[other] * draw.weighted({0: 3, 1: 2, 2: 1}), draw]]
    shortened = [Exchange("persona", item.question, item.short, item.short) for item in exchanges]
    instruction = draw.one(_WORDS["short_form"])
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
    system = phrase(draw, _WORDS[kind], x=word)
    exchanges = [_harmless(draw.training()) for _ in range(draw.weighted({1: 4, 2: 2, 3: 1}))]
    answers = {"begin": "{word} {answer}", "end": "{answer} {word}", "only": "{word}"}[kind]
    changed = [Exchange("persona", item.question, answers.format(word=word, answer=item.answer)) for item in exchanges]
    return _chat(draw, system, changed)
