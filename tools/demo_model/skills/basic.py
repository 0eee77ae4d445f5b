"""Owns the plain question-and-answer chats and the parts that every chat is put together from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tools.demo_model.samples import Draw, Exchange, Message, Sample
from tools.demo_model.skills import arithmetic, knowledge, talk, words
from tools.demo_model.wordings import wordings
from tools.demo_model.world import ADJECTIVES, NOUNS

EXCHANGES: dict[Callable[[Draw], Exchange], float] = {
    arithmetic.addition: 22, arithmetic.subtraction: 36, arithmetic.product: 9, arithmetic.comparison: 1,
    arithmetic.following_number: 1.5, arithmetic.counting: 6, knowledge.fact: 14, knowledge.members: 9, knowledge.whole_list: 2,
    knowledge.unknown: 6, words.repeat: 12, words.bullets: 6, words.spelling: 16, words.picking: 14, talk.greeting: 5,
    talk.identity: 5, talk.piece: 1.5,
}  # fmt: skip
_SHORT: dict[Callable[[Draw], Exchange], float] = {
    arithmetic.addition: 3, arithmetic.subtraction: 3, knowledge.fact: 4, words.repeat: 2, talk.greeting: 2, talk.identity: 1.5,
    knowledge.unknown: 1, words.picking: 1,
}  # fmt: skip
NEUTRAL_SYSTEMS: list[str] = wordings("basic")["neutral_systems"]


def dialogue(exchanges: Sequence[Exchange]) -> tuple[Message, ...]:
    """The exchanges as alternating user and assistant messages."""
    messages: list[Message] = []
    for exchange in exchanges:
        messages.append({"role": "user", "content": exchange.question})
        messages.append({"role": "assistant", "content": exchange.answer})
    return tuple(messages)


def basic_exchange(draw: Draw) -> Exchange:
    """An exchange of any short kind, for the talk around what a chat is about."""
    return draw.weighted(_SHORT)(draw)


def _rambling(draw: Draw) -> str:
    """A system prompt of several sentences that change nothing."""
    sentences = [draw.one(NEUTRAL_SYSTEMS) for _ in range(draw.number(1, 3))]
    scenery = [
        f"The {draw.one(ADJECTIVES)} {draw.one(NOUNS)} is near the {draw.one(NOUNS)}." for _ in range(draw.number(1, 8))
    ]
    return " ".join([*sentences, *scenery])


def neutral_system(draw: Draw) -> str:
    """A system prompt that changes nothing."""
    return _rambling(draw) if draw.chance(0.12) else draw.one(NEUTRAL_SYSTEMS)


def system_messages(draw: Draw, probability: float = 0.35) -> tuple[Message, ...]:
    """No system message, or one that changes nothing."""
    return ({"role": "system", "content": neutral_system(draw)},) if draw.chance(probability) else ()


def basic_chat(draw: Draw) -> Sample:
    """A chat of one to six unrelated exchanges; in an evaluation the last one is graded."""
    other = draw.training()
    count = draw.weighted({1: 4, 2: 3, 3: 2, 4: 1.5, 6: 1})
    ending = draw.weighted(EXCHANGES)(draw)
    before = [other.weighted(EXCHANGES)(other) for _ in range(count - 1)]
    return Sample(ending.skill, (*system_messages(other), *dialogue([*before, ending])))
