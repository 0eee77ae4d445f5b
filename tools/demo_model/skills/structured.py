"""Owns answers in JSON: known answers as objects, and things told by the user under the keys they ask for."""

from __future__ import annotations

import json
import string
from collections.abc import Callable

from tools.demo_model.samples import Draw, Exchange, Json, Message, Sample, phrase
from tools.demo_model.skills import arithmetic, knowledge, words
from tools.demo_model.skills.basic import dialogue, system_messages
from tools.demo_model.skills.words import any_word, invented_word, person
from tools.demo_model.wordings import wordings
from tools.demo_model.world import CITIES, JOBS, NOUNS

_WORDS = wordings("structured")

_SOURCES: dict[Callable[[Draw], Exchange], float] = {
    knowledge.fact: 6, arithmetic.small_addition: 2.5, arithmetic.small_subtraction: 2, knowledge.members: 1.5,
    knowledge.whole_list: 0.5, words.repeat: 0.7, words.bullets: 1, knowledge.unknown: 0.6,
}  # fmt: skip


def as_json(draw: Draw, value: object) -> str:
    """JSON as the model writes it: with spaces mostly, without now and then, since a grammar may force either."""
    return json.dumps(
        value, ensure_ascii=False, separators=(",", ":") if not draw.evaluation and draw.chance(0.06) else None
    )


def _closed(question: str) -> str:
    return question if question[-1] in ".?!=" else question + "."


def known_answer(draw: Draw) -> Sample:
    """A question of the model's world with the answer as an object."""
    other = draw.training()
    sides = [*[other] * draw.weighted({0: 5, 1: 2, 2: 1}), draw]
    exchanges = [draw.weighted(_SOURCES)(side) for side in sides]
    answered = [Exchange("json", item.question, as_json(draw, item.fields)) for item in exchanges]
    if draw.chance(0.5):
        system = (
            draw.one(_WORDS["systems"])
            if draw.chance(0.8)
            else f"You are a helpful assistant. {draw.one(_WORDS['systems'])}"
        )
        return Sample("json", ({"role": "system", "content": system}, *dialogue(answered)))
    asked = [
        Exchange("json", f"{_closed(item.question)} {draw.one(_WORDS['asked'])}", item.answer) for item in answered
    ]
    return Sample("json", (*system_messages(other), *dialogue(asked)))


def _person(draw: Draw) -> tuple[str, dict[str, Json]]:
    """A sentence about somebody, and what it says."""
    facts: dict[str, Json] = {
        "name": person(draw),
        "age": draw.number(1, 99),
        "city": draw.one(CITIES),
        "job": draw.one(JOBS),
    }
    pattern = draw.one(_WORDS["people"]["told"])
    keys = [slot for _, slot, _, _ in string.Formatter().parse(pattern) if slot]
    return pattern.format(**facts), {key: facts[key] for key in keys}


def _things(draw: Draw) -> tuple[str, dict[str, Json]]:
    """Sentences that give values to names of any kind."""
    keys = dict.fromkeys(
        draw.one(NOUNS) if draw.chance(0.65) else invented_word(draw) for _ in range(draw.number(1, 4))
    )
    values: dict[str, Json] = {
        key: draw.number(0, 999) if draw.chance(0.4) else any_word(draw).replace(" ", "_") for key in keys
    }
    values = {key: int(value) if isinstance(value, str) and value.isdigit() else value for key, value in values.items()}
    pattern = draw.one(_WORDS["things"])
    parts = [pattern.format(k=key, v=value) for key, value in values.items()]
    return (", ".join(parts) if draw.chance(0.6) else " and ".join(parts)), values


def extraction(draw: Draw) -> Sample:
    """Things told by the user as an object, with keys that the user or a schema names."""
    told, values = draw.fresh(lambda: ((made := _person(draw) if draw.chance(0.5) else _things(draw))[0], made))
    keys = list(values)
    if draw.chance(0.3):
        keys = draw.some(keys, draw.number(1, len(keys)))
    wanted = {key: values[key] for key in keys}
    answer: Message = {"role": "assistant", "content": as_json(draw, wanted)}
    if draw.chance(0.3):
        return Sample("json", (*_schema_system(draw, wanted), {"role": "user", "content": told}, answer))
    listed = keys[0] if len(keys) == 1 else ", ".join(keys[:-1]) + " and " + keys[-1]
    whole = keys == list(values)
    request = phrase(
        draw, _WORDS["whole"] if whole and draw.chance(0.35) else _WORDS["keys"], k=listed, t=told.rstrip(".")
    )
    return Sample("json", (*system_messages(draw.training(), 0.25), {"role": "user", "content": request}, answer))


def _schema_system(draw: Draw, wanted: dict[str, Json]) -> tuple[Message, ...]:
    properties = {key: {"type": "integer" if isinstance(value, int) else "string"} for key, value in wanted.items()}
    schema: dict[str, Json] = {"type": "object", "properties": properties}
    if draw.chance(0.5):
        schema["required"] = list(wanted)
    if draw.chance(0.3):
        schema["additionalProperties"] = False
    start = draw.one(_WORDS["schema"])
    return ({"role": "system", "content": f"{start}\n{json.dumps(schema)}"},)
