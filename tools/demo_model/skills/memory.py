"""Owns chats that refer back: what the user said of themselves, asked or was answered earlier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tools.demo_model.samples import Draw, Exchange, Message, Sample, phrase
from tools.demo_model.skills.basic import basic_exchange, dialogue, system_messages
from tools.demo_model.skills.words import any_word, invented_word, person
from tools.demo_model.wordings import wordings
from tools.demo_model.world import CATEGORIES, CITIES


@dataclass(frozen=True)
class Remark:
    """A thing a user tells, how it is asked for later, the two answers, and the answer when it was never told."""

    told: list[str]
    heard: str
    asked: list[str]
    answer: str
    missing: str


_WORDS = wordings("memory")
REMARKS = {kind: Remark(**remark) for kind, remark in _WORDS["remarks"].items()}


_VALUES: dict[str, Callable[[Draw], str]] = {
    "name": person,
    "pet": person,
    "city": lambda draw: draw.one(CITIES) if draw.chance(0.8) else invented_word(draw).capitalize(),
    "age": lambda draw: str(draw.number(5, 99)),
    "thing": lambda draw: draw.one(draw.one(list(CATEGORIES.values()))),
    "number": lambda draw: str(draw.number(0, 9999)),
    "secret": any_word,
}


def _slots(draw: Draw, kind: str) -> dict[str, str]:
    """What a remark is about and its value, one pair on the draw's side of the split."""

    def make() -> tuple[str, dict[str, str]]:
        slots = {"x": _VALUES[kind](draw), "k": draw.one(_WORDS["things"].get(kind, [""]))}
        return f"{kind}|{slots}", slots

    return draw.fresh(make)


def remark(draw: Draw) -> tuple[Exchange, Exchange]:
    """What the user tells, and the later question about it."""
    kind = draw.weighted({"name": 5, "city": 2, "age": 1.5, "thing": 2, "pet": 1.5, "number": 1.5, "secret": 2})
    told, slots = REMARKS[kind], _slots(draw, kind)
    heard = Exchange("earlier turn", phrase(draw, told.told, **slots), told.heard.format(**slots))
    question, answer = phrase(draw, told.asked, **slots), told.answer.format(**slots)
    asked = Exchange("earlier turn", question, answer, slots["x"], {kind: slots["x"]})
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
    exchanges = [
        *before,
        *([second[0]] if second and second[1].question != asked.question else []),
        heard,
        *between,
        asked,
    ]
    if _contradicts(second, heard):
        exchanges = [*before, heard, *between, asked]
    return Sample("earlier turn", (*system_messages(other), *dialogue(exchanges)))


def _contradicts(second: tuple[Exchange, Exchange] | None, heard: Exchange) -> bool:
    """Two remarks answered alike may be about the same thing: then only one is told."""
    return second is not None and second[0].answer.split()[-2:-1] == heard.answer.split()[-2:-1]


def from_system(draw: Draw) -> Sample:
    """A thing the system prompt tells about the user, asked for in the chat."""
    name = draw.fresh(lambda: (f"system|{(chosen := _slots(draw.training(), 'name')['x'])}", chosen))
    told = phrase(draw, _WORDS["system"]["told"], x=name)
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
        "first": Exchange("earlier turn", phrase(draw, _WORDS["first"]), f"You asked: {before[0].question}"),
        "last": Exchange("earlier turn", phrase(draw, _WORDS["last"]), f"You asked: {before[-1].question}"),
        "answer": Exchange("earlier turn", phrase(draw, _WORDS["answer"]), before[-1].answer),
    }[kind]
    return Sample("earlier turn", (*system_messages(other), *dialogue([*before, final])))
