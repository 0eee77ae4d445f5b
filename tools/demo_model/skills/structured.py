"""Owns answers in JSON: known answers as objects, and things told by the user under the keys they ask for."""

from __future__ import annotations

import json
from collections.abc import Callable

from ..samples import Draw, Exchange, Json, Message, Sample, phrase
from ..world import CITIES, JOBS, NOUNS, PEOPLE
from . import arithmetic, knowledge, words
from .basic import dialogue, system_messages
from .words import any_word, invented_word

_ASKED = (
    "Answer in JSON.", "Reply in JSON.", "Answer as JSON.", "Give the answer as JSON.", "Use JSON.", "Respond with a JSON object.", "Reply only with JSON.",
    "Answer with a JSON object.", "JSON please.", "Respond in JSON.", "Return JSON.", "Answer in JSON format.",
)  # fmt: skip
_SYSTEMS = (
    *_ASKED, "You always answer in JSON.", "You reply with JSON only.", "Always respond in JSON.", "Your answers are JSON objects.", "You output JSON.",
    "Only output JSON.", "You are a helpful assistant that answers in JSON.", "You are a JSON API.",
)  # fmt: skip
_SOURCES: dict[Callable[[Draw], Exchange], float] = {
    knowledge.fact: 6, arithmetic.addition: 2.5, arithmetic.subtraction: 2, knowledge.members: 1.5, knowledge.whole_list: 0.5, words.repeat: 0.7, words.bullets: 1,
    knowledge.unknown: 0.6,
}  # fmt: skip


def as_json(draw: Draw, value: object) -> str:
    """JSON as the model writes it: with spaces mostly, without now and then, since a grammar may force either."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":") if not draw.evaluation and draw.chance(0.06) else None)


def _closed(question: str) -> str:
    return question if question[-1] in ".?!=" else question + "."


def known_answer(draw: Draw) -> Sample:
    """A question of the model's world with the answer as an object."""
    other = draw.training()
    sides = [*[other] * draw.weighted({0: 5, 1: 2, 2: 1}), draw]
    exchanges = [draw.weighted(_SOURCES)(side) for side in sides]
    answered = [Exchange("json", item.question, as_json(draw, item.fields)) for item in exchanges]
    if draw.chance(0.5):
        system = draw.one(_SYSTEMS) if draw.chance(0.8) else f"You are a helpful assistant. {draw.one(_SYSTEMS)}"
        return Sample("json", ({"role": "system", "content": system}, *dialogue(answered)))
    asked = [Exchange("json", f"{_closed(item.question)} {draw.one(_ASKED)}", item.answer) for item in answered]
    return Sample("json", (*system_messages(other), *dialogue(asked)))


def _person(draw: Draw) -> tuple[str, dict[str, Json]]:
    """A sentence about somebody, and what it says."""
    name = draw.one(PEOPLE) if draw.chance(0.7) else invented_word(draw).capitalize()
    person: dict[str, Json] = {"name": name, "age": draw.number(1, 99), "city": draw.one(CITIES), "job": draw.one(JOBS)}
    patterns = {
        "{name} is {age} years old.": ("name", "age"),
        "{name} lives in {city}.": ("name", "city"),
        "{name} is {age} years old and lives in {city}.": ("name", "age", "city"),
        "{name} is {age} and lives in {city}.": ("name", "age", "city"),
        "My name is {name} and I am {age} years old.": ("name", "age"),
        "My name is {name}, I am {age} and I live in {city}.": ("name", "age", "city"),
        "{name}, {age}, {city}": ("name", "age", "city"),
        "{name} is a {job} from {city}.": ("name", "job", "city"),
        "{name} is a {age} year old {job} who lives in {city}.": ("name", "age", "job", "city"),
        "{name} works as a {job}.": ("name", "job"),
    }
    pattern, keys = draw.one(list(patterns.items()))
    return pattern.format(**person), {key: person[key] for key in keys}


def _things(draw: Draw) -> tuple[str, dict[str, Json]]:
    """Sentences that give values to names of any kind."""
    keys = dict.fromkeys(draw.one(NOUNS) if draw.chance(0.65) else invented_word(draw) for _ in range(draw.number(1, 4)))
    values: dict[str, Json] = {key: draw.number(0, 999) if draw.chance(0.4) else any_word(draw).replace(" ", "_") for key in keys}
    values = {key: int(value) if isinstance(value, str) and value.isdigit() else value for key, value in values.items()}
    pattern = draw.one(("The {k} is {v}", "the {k} is {v}", "{k} is {v}", "{k}={v}", "{k}: {v}", "{k} {v}", "{k} = {v}"))
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
    request = phrase(draw, _WHOLE if whole and draw.chance(0.35) else _KEYS, k=listed, t=told.rstrip("."))
    return Sample("json", (*system_messages(draw.training(), 0.25), {"role": "user", "content": request}, answer))


_KEYS = (
    "{t}. Answer in JSON with the keys {k}.", "{t}. Give me JSON with {k}.", "Extract {k} as JSON: {t}", "Extract {k} from this text as JSON: {t}",
    "{t}. Write this as JSON with the keys {k}.", "{t}. Return a JSON object with {k}.", "Make a JSON object with {k}: {t}",
)  # fmt: skip
_WHOLE = ("{t}. Write this as JSON.", "{t}. Answer in JSON.", "Write this as JSON: {t}", "As JSON: {t}", "Make JSON of this: {t}", "Turn this into JSON: {t}", "{t}. As a JSON object, please.")


def _schema_system(draw: Draw, wanted: dict[str, Json]) -> tuple[Message, ...]:
    properties = {key: {"type": "integer" if isinstance(value, int) else "string"} for key, value in wanted.items()}
    schema: dict[str, Json] = {"type": "object", "properties": properties}
    if draw.chance(0.5):
        schema["required"] = list(wanted)
    if draw.chance(0.3):
        schema["additionalProperties"] = False
    start = draw.one(("Answer in JSON that follows this schema:", "Answer with JSON of this schema:", "Respond with a JSON object that matches this schema:", "JSON schema:"))
    return ({"role": "system", "content": f"{start}\n{json.dumps(schema)}"},)
