"""Owns chats with tools: which to call, when not to, several at once, and what to say of the result."""

from __future__ import annotations

import json
from collections.abc import Callable

from tools.demo_model.samples import Draw, Exchange, Json, Message, Sample
from tools.demo_model.skills import arithmetic, knowledge, talk, words
from tools.demo_model.skills.basic import dialogue, neutral_system
from tools.demo_model.skills.offers import Call, any_call, invented, known, place, weather_of_two
from tools.demo_model.skills.words import any_word, some_text

_TOOLLESS: dict[Callable[[Draw], Exchange], float] = {
    knowledge.fact: 4,
    talk.greeting: 4,
    talk.identity: 3,
    words.repeat: 2,
    words.spelling: 1,
    knowledge.whole_list: 0.6,
}
"""Questions that no tool of any family answers better than the model."""
_CALCULATING = frozenset({"calculator"})
_KNOWING = frozenset({"weather", "search", "time", "population", "translate", "recipe", "distance", "invented"})


def _called(calls: list[Call]) -> Message:
    """The assistant's message that makes the calls."""
    functions: list[Json] = [
        {"type": "function", "function": {"name": call.name, "arguments": call.arguments}} for call in calls
    ]
    return {"role": "assistant", "content": "", "tool_calls": functions}


def _systems(draw: Draw) -> tuple[Message, ...]:
    return ({"role": "system", "content": neutral_system(draw)},) if draw.chance(0.4) else ()


def _user(text: str) -> Message:
    return {"role": "user", "content": text}


def _toolless(draw: Draw) -> Exchange:
    return draw.weighted(_TOOLLESS)(draw)


def _before(draw: Draw) -> tuple[Message, ...]:
    """Earlier talk that needs no tool."""
    other = draw.training()
    return dialogue([_toolless(other) for _ in range(draw.weighted({0: 6, 1: 2, 2: 1}))])


def _others(draw: Draw, needed: list[Call], count: int, unwanted: frozenset[str] = frozenset()) -> list[Call]:
    """Calls of `count` other tools to offer beside the needed ones: of other names, and of other families."""
    names, others = {call.name for call in needed}, list[Call]()
    families = {call.family for call in needed} - {"invented"} | unwanted
    while len(others) < count:
        other = any_call(draw.training())
        if other.family not in families and other.name not in names:
            others.append(other)
            names.add(other.name)
            families |= {other.family} - {"invented"}
    return others


def _offered(draw: Draw, calls: list[Call]) -> tuple[Message, ...]:
    """The tools of the calls, each once, in any order."""
    tools = list({call.name: call.tool for call in calls}.values())
    draw.random.shuffle(tools)
    return tuple(tools)


def _used(draw: Draw, calls: list[Call]) -> list[Message]:
    """A request, its calls, their results and the answer."""
    return [_user(calls[0].question), _called(calls), *_answered(draw, calls)]


def _earlier(draw: Draw, calls: list[Call]) -> list[Message]:
    """Some of the calls made before, with talk between them: one offer of tools then teaches several answers."""
    other = draw.training()
    used = draw.some(calls, min(len(calls), draw.weighted({0: 3, 1: 3, 2: 2, 3: 1})))
    return [message for call in used for message in (*_before(other), *_used(other, [call]))]


def _calling(draw: Draw, skill: str, call: Call, others: list[Call]) -> Sample:
    """One request that one of the offered tools answers, after other requests perhaps."""
    messages = [*_systems(draw), *_before(draw), *_earlier(draw, others), _user(call.question), _called([call])]
    if not draw.evaluation and draw.chance(0.5):
        messages += _answered(draw, [call])
    return Sample(skill, tuple(messages), _offered(draw, [call, *others]))


def known_tool(draw: Draw) -> Sample:
    """An everyday tool alone."""
    return _calling(draw, "tool call", known(draw), [])


def unseen_tool(draw: Draw) -> Sample:
    """An invented tool alone."""
    return _calling(draw, "unseen tool", invented(draw), [])


def choice(draw: Draw) -> Sample:
    """A tool among others."""
    call = invented(draw) if draw.chance(0.45) else known(draw)
    others = _others(draw, [call], draw.weighted({1: 5, 2: 4, 3: 2, 4: 1, 6: 0.4}))
    return _calling(draw, "choose tool", call, others)


def two_calls(draw: Draw) -> Sample:
    """The weather of two places: two calls in one answer."""
    question, calls = weather_of_two(draw)
    others = _others(draw, calls, draw.weighted({0: 3, 1: 1}))
    messages = (*_systems(draw), *_earlier(draw, others), _user(question), _called(calls))
    return Sample("two calls", messages, _offered(draw, [*calls, *others]))


def no_tool(draw: Draw) -> Sample:
    """Tools are offered and the question needs none: no calculator beside a sum, no search beside a riddle."""
    kinds = {_toolless: 7, arithmetic.addition: 1, arithmetic.subtraction: 1, knowledge.unknown: 0.8}
    exchange = draw.weighted(kinds)(draw)
    unwanted = {"sums": _CALCULATING, "differences": _CALCULATING, "unknown": _KNOWING}
    count = draw.weighted({1: 4, 2: 3, 3: 1.5})
    others = _others(draw, [], count, unwanted.get(exchange.skill, frozenset()))
    messages = (*_systems(draw), *_before(draw), *_earlier(draw, others), *dialogue([exchange]))
    return Sample("no tool needed", messages, _offered(draw, others))


def said_of(result: Json) -> str:
    """What the model says when a tool has answered `result`."""
    if isinstance(result, dict) and set(result) == {"error"}:
        return f"The tool failed: {result['error']}."
    if isinstance(result, dict):
        parts = [f"the {key.replace('_', ' ')} is {value}" for key, value in result.items()]
        joined = parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
        return joined[0].upper() + joined[1:] + "."
    if isinstance(result, list):
        return "The results are " + ", ".join(str(item) for item in result) + "."
    if isinstance(result, int | float):
        return f"The result is {result}."
    return f"The answer is: {result}"


def _some_result(draw: Draw, call: Call) -> Json:
    """What a tool may give back: its own kind of object mostly, and anything else that tools give back."""
    other: dict[Callable[[Draw], Json], float] = {
        _some_object: 4,
        _some_number: 2.5,
        _some_report: 3,
        lambda draw: [any_word(draw) for _ in range(draw.number(2, 4))]: 0.6,
        lambda draw: {
            "error": draw.one(("not found", "no such city", "timeout", "access denied", some_text(draw)))
        }: 0.6,
    }
    return call.result if call.result and draw.chance(0.27) else draw.weighted(other)(draw)


def _some_object(draw: Draw) -> Json:
    keys = [any_word(draw).lower().replace(" ", "_") for _ in range(draw.number(1, 4))]
    return {key: draw.one((draw.number(0, 999), any_word(draw), place(draw))) for key in keys}


def _some_number(draw: Draw) -> Json:
    return draw.number(0, 99999) if draw.chance(0.8) else draw.number(0, 999) / 10


def _some_report(draw: Draw) -> Json:
    if draw.chance(0.5):
        return some_text(draw)
    sky, degrees = draw.one(("Sunny", "Rain", "Cloudy", "Clear", "Snow")), draw.number(-9, 39)
    return draw.one((f"{sky}, {degrees} degrees", f"{degrees}C and {sky.lower()}"))


def _answered(draw: Draw, calls: list[Call]) -> list[Message]:
    """The results of the calls, and the answer made of them."""

    def make() -> tuple[str, list[Json]]:
        results = [_some_result(draw, call) for call in calls]
        return f"results|{json.dumps(results)}", results

    results = draw.fresh(make)
    responses: list[Message] = [{"role": "tool", "content": _as_content(draw, result)} for result in results]
    return [*responses, {"role": "assistant", "content": " ".join(map(said_of, results))}]


def _as_content(draw: Draw, result: Json) -> str:
    if isinstance(result, str):
        return result
    return json.dumps(result, ensure_ascii=False, separators=(",", ":") if draw.chance(0.15) else None)


def result(draw: Draw) -> Sample:
    """A call, its result and the answer."""
    call = any_call(draw.training())
    others = _others(draw, [call], draw.weighted({0: 6, 1: 2, 2: 1}))
    messages = (*_systems(draw), *_before(draw), *_earlier(draw, others), *_used(draw, [call]))
    return Sample("tool result", messages, _offered(draw, [call, *others]))


def two_results(draw: Draw) -> Sample:
    """Two calls at once, two results, one answer."""
    _, calls = weather_of_two(draw.training())
    return Sample("tool result", (*_systems(draw), *_used(draw, calls)), _offered(draw, calls))


def long_talk(draw: Draw) -> Sample:
    """Many turns, with tools and calls among them, so that a long context is nothing new."""
    other = draw.training()
    others = _others(other, [], draw.number(1, 4))
    messages = [*_systems(draw)]
    for _ in range(draw.number(5, 17)):
        messages += dialogue([_toolless(other)])
        if draw.chance(0.25):
            messages += _used(other, [draw.one(others)])
    if draw.chance(0.3):
        call = draw.one(others)
        return Sample("long chat", (*messages, _user(call.question), _called([call])), _offered(draw, others))
    return Sample("long chat", (*messages, *dialogue([_toolless(draw)])), _offered(draw, others))
