"""Owns the mixture: which kinds of chats and texts the model is trained and graded on, and in which proportion.

The corpus is endless and reproducible: chunk `n` of seed `s` is always the same. It knows no token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tools.demo_model.samples import Draw, Sample
from tools.demo_model.skills import basic, memory, persona, structured, texts, tool_use

MIXTURE: dict[Callable[[Draw], Sample], float] = {
    basic.basic_chat: 56,
    memory.remembering: 6, memory.asking_back: 4.5, memory.from_system: 1,
    persona.character: 3, persona.short_form: 3.5, persona.manner: 3,
    tool_use.known_tool: 3, tool_use.unseen_tool: 8, tool_use.choice: 12, tool_use.two_calls: 0.8, tool_use.no_tool: 6,
    tool_use.result: 2.5, tool_use.two_results: 0.5, tool_use.long_talk: 0.7,
    structured.known_answer: 4, structured.extraction: 9,
    texts.completion: 7, texts.middle: 16,
}  # fmt: skip


def training_chunk(seed: int, chunk: int, count: int) -> Iterator[Sample]:
    """`count` training samples; the same seed and chunk always give the same samples."""
    draw = Draw(f"{seed}/{chunk}")
    for _ in range(count):
        yield draw.weighted(MIXTURE)(draw)


def evaluation_items(seed: int, per_skill: int, skills: frozenset[str] | None = None) -> dict[str, list[Sample]]:
    """Held-out samples by skill, `per_skill` of each; none of their graded items occurs in any training chunk."""
    draw = Draw(f"evaluation/{seed}", evaluation=True)
    found: dict[str, list[Sample]] = {}
    for _ in range(per_skill * 600):
        sample = draw.weighted(MIXTURE)(draw)
        items = found.setdefault(sample.skill, [])
        if len(items) < per_skill and (skills is None or sample.skill in skills):
            items.append(sample)
    return {skill: items for skill, items in sorted(found.items()) if items}
