"""Owns small talk, who the model is, and its few set pieces (a story, a poem, a joke)."""

from __future__ import annotations

from tools.demo_model.samples import Draw, Exchange
from tools.demo_model.wordings import wordings
from tools.demo_model.world import NOUNS

_WORDS = wordings("talk")


def _by_answer(name: str) -> dict[str, list[str]]:
    return {entry["answer"]: entry["asked"] for entry in _WORDS[name]}


GREETINGS, IDENTITIES, PIECES = _by_answer("greetings"), _by_answer("identities"), _by_answer("pieces")
STORY: str = _WORDS["story"]


def _decorated(draw: Draw, text: str) -> str:
    """The same words as people type them: with or without capitals, marks and a name."""
    if draw.chance(0.25):
        text = text.lower()
    if text[-1] == "?":
        return text[:-1] if draw.chance(0.2) else text
    return text + draw.weighted({"": 4, "!": 4, ".": 3, "!!": 0.4})


def _set_answer(draw: Draw, skill: str, answers: dict[str, list[str]]) -> Exchange:
    """Hold out the exact wording together with its marks."""

    def make() -> tuple[str, tuple[str, str]]:
        answer = draw.one([answer for answer, wordings in answers.items() for _ in range(min(len(wordings), 10))])
        text = _decorated(draw, draw.one(answers[answer]))
        return text, (text, answer)

    question, answer = draw.fresh(make)
    return Exchange(skill, question, answer, "", {"answer": answer})


def greeting(draw: Draw) -> Exchange:
    """Small talk."""
    return _set_answer(draw, "greetings", GREETINGS)


def identity(draw: Draw) -> Exchange:
    """A question about the model itself."""
    return _set_answer(draw, "identity", IDENTITIES)


def piece(draw: Draw) -> Exchange:
    """A joke, a poem or a story."""
    if draw.chance(0.35):
        return _set_answer(draw, "stories", PIECES)

    def make() -> tuple[str, tuple[str, str]]:
        hero = draw.one([*NOUNS, "girl", "boy", "man", "woman"]) if draw.chance(0.7) else ""
        text = _decorated(draw, draw.one(_WORDS["story_about" if hero else "story_any"]).format(x=hero))
        return text, (text, hero or "fox")

    question, hero = draw.fresh(make)
    story = STORY.format(hero=hero)
    return Exchange("stories", question, story, "", {"story": story})
