"""Owns chats with tools: which to call, when not to, several at once, and what to say of the result."""

from __future__ import annotations

import json

from ..samples import Draw, Exchange, Json, Message, Sample, phrase
from . import arithmetic, knowledge, talk, words
from .basic import dialogue, neutral_system
from .offers import Call, any_call, invented, known, place, weather
from .words import any_word, some_text


def called(calls: list[Call]) -> Message:
    """The assistant's message that makes the calls."""
    functions: list[Json] = [{"type": "function", "function": {"name": call.name, "arguments": call.arguments}} for call in calls]
    return {"role": "assistant", "content": "", "tool_calls": functions}


def _systems(draw: Draw) -> tuple[Message, ...]:
    return ({"role": "system", "content": neutral_system(draw)},) if draw.chance(0.4) else ()


def _offer(draw: Draw, needed: list[Call], extra: int, unwanted: frozenset[str] = frozenset()) -> tuple[Message, ...]:
    """The needed tools among others of other names and families, in any order."""
    offered = {call.name: call for call in needed}
    families = {call.family for call in needed} - {"invented"} | unwanted
    while len(offered) < len(needed) + extra:
        other = any_call(draw.training())
        if other.family not in families:
            offered.setdefault(other.name, other)
            families |= {other.family} - {"invented"}
    tools = [call.tool for call in offered.values()]
    draw.random.shuffle(tools)
    return tuple(tools)


def _before(draw: Draw) -> list[Message]:
    """Earlier talk that needs no tool."""
    other = draw.training()
    count = draw.weighted({0: 6, 1: 2, 2: 1})
    return [message for _ in range(count) for message in dialogue([_toolless(other)])]


def _user(text: str) -> Message:
    return {"role": "user", "content": text}


def single(draw: Draw, *, unseen: bool, extra: int) -> Sample:
    """One request that one of the offered tools answers."""
    call = invented(draw) if unseen else known(draw)
    tools = _offer(draw, [call], extra)
    skill = "choose tool" if extra else "unseen tool" if unseen else "tool call"
    return Sample(skill, (*_systems(draw), *_before(draw), _user(call.question), called([call])), tools)


def known_tool(draw: Draw) -> Sample:
    return single(draw, unseen=False, extra=0)


def unseen_tool(draw: Draw) -> Sample:
    return single(draw, unseen=True, extra=0)


def choice(draw: Draw) -> Sample:
    return single(draw, unseen=draw.chance(0.45), extra=draw.weighted({1: 5, 2: 4, 3: 2, 4: 1, 6: 0.4}))


def parallel(draw: Draw) -> Sample:
    """The weather of two places: two calls in one answer."""
    call = draw.fresh(lambda: (f"two|{(made := weather(draw)).question}", made))
    key = next(iter(call.arguments))
    first, second = place(draw).split(",")[0], place(draw).split(",")[0]
    question = phrase(draw, ("What is the weather in {a} and {b}?", "Weather in {a} and in {b}?", "What's the weather like in {a} and {b}?", "Tell me the weather in {a} and {b}.", "Compare the weather in {a} and {b}."), a=first, b=second)
    calls = [Call(call.tool, question, {key: city}, call.family) for city in (first, second)]
    tools = _offer(draw, [call], draw.weighted({0: 3, 1: 1}))
    return Sample("tool call", (*_systems(draw), _user(question), called(calls)), tools)


def _toolless(draw: Draw) -> Exchange:
    """A question that no tool of any family answers better than the model."""
    return draw.weighted({knowledge.fact: 4, talk.greeting: 4, talk.identity: 3, words.repeat: 2, words.spelling: 1, knowledge.whole_list: 0.6})(draw)


_CALCULATING = frozenset({"calculator"})
_KNOWING = frozenset({"weather", "search", "time", "population", "translate", "recipe", "distance", "invented"})


def no_tool(draw: Draw) -> Sample:
    """Tools are offered and the question needs none of them: a calculator is not offered with a sum, nor a search with a riddle."""
    kinds = {_toolless: 7, arithmetic.addition: 1, arithmetic.subtraction: 1, knowledge.unknown: 0.8}
    exchange = draw.weighted(kinds)(draw)
    unwanted = {"sums": _CALCULATING, "differences": _CALCULATING, "unknown": _KNOWING}.get(exchange.skill, frozenset())
    tools = _offer(draw, [], draw.weighted({1: 4, 2: 3, 3: 1.5}), unwanted)
    return Sample("no tool needed", (*_systems(draw), *_before(draw), *dialogue([exchange])), tools)


def _plain_name(key: str) -> str:
    return key.replace("_", " ")


def said_of(result: Json) -> str:
    """What the model says when a tool has answered `result`."""
    if isinstance(result, dict) and set(result) == {"error"}:
        return f"The tool failed: {result['error']}."
    if isinstance(result, dict):
        parts = [f"the {_plain_name(key)} is {value}" for key, value in result.items()]
        joined = parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
        return joined[0].upper() + joined[1:] + "."
    if isinstance(result, list):
        return "The results are " + ", ".join(str(item) for item in result) + "."
    if isinstance(result, int | float):
        return f"The result is {result}."
    return f"The answer is: {result}"


def _some_result(draw: Draw, call: Call) -> Json:
    kind = draw.weighted({"own": 4, "object": 4, "number": 2.5, "text": 3, "list": 0.6, "error": 0.6})
    if kind == "own":
        return call.result
    if kind == "object":
        return {any_word(draw).lower().replace(" ", "_"): draw.one((draw.number(0, 999), any_word(draw), place(draw))) for _ in range(draw.number(1, 4))}
    if kind == "number":
        return draw.number(0, 99999) if draw.chance(0.8) else draw.number(0, 999) / 10
    if kind == "list":
        return [any_word(draw) for _ in range(draw.number(2, 4))]
    if kind == "error":
        return {"error": draw.one(("not found", "no such city", "timeout", "access denied", some_text(draw)))}
    return draw.one((some_text(draw), f"{draw.one(('Sunny', 'Rain', 'Cloudy', 'Clear', 'Snow'))}, {draw.number(-9, 39)} degrees", f"{draw.number(0, 39)}C and sunny", some_text(draw)))


def _as_content(draw: Draw, result: Json) -> str:
    if isinstance(result, str):
        return result
    compact = draw.chance(0.15)
    return json.dumps(result, ensure_ascii=False, separators=(",", ":") if compact else None)


def _answered(draw: Draw, call: Call, key: str) -> list[Message]:
    result = draw.fresh(lambda: (f"{key}|{json.dumps(made := _some_result(draw, call))}", made))
    return [{"role": "tool", "content": _as_content(draw, result)}, {"role": "assistant", "content": said_of(result)}]


def result(draw: Draw) -> Sample:
    """A call, its result, the answer; sometimes another request after it."""
    other = draw.training()
    call = any_call(other)
    tools = _offer(draw, [call], draw.weighted({0: 6, 1: 2, 2: 1}))
    messages = [*_systems(draw), *_before(draw)]
    if draw.chance(0.15):
        messages += [_user(call.question), called([call]), *_answered(other, call, "result")]
    messages += [_user(call.question), called([call]), *_answered(draw, call, "result")]
    if draw.chance(0.15) and not draw.evaluation:
        messages += [message for message in dialogue([_toolless(draw)])]
    return Sample("tool result", tuple(messages), tools)


def two_results(draw: Draw) -> Sample:
    """Two calls at once, two results, one answer."""
    chat = parallel(draw.training())
    results = [draw.fresh(lambda: (f"results|{json.dumps(made := _some_result(draw, _WEATHER_LIKE))}", made)) for _ in range(2)]
    responses: list[Message] = [{"role": "tool", "content": _as_content(draw, item)} for item in results]
    answer: Message = {"role": "assistant", "content": " ".join(said_of(item) for item in results)}
    return Sample("tool result", (*chat.messages, *responses, answer), chat.tools)


_WEATHER_LIKE = Call({}, "", {}, "weather", {"temperature": 20, "condition": "sunny"})


def talk_with_tools(draw: Draw) -> Sample:
    """Ordinary talk while tools lie unused, a call in the middle of it."""
    chat = result(draw.training())
    return Sample("no tool needed", (*chat.messages, *dialogue([_toolless(draw)])), chat.tools) if draw.chance(0.7) else no_tool(draw)


def small_talk_then_call(draw: Draw) -> Sample:
    """Several turns of talk, then a request for a tool."""
    other = draw.training()
    call = any_call(draw)
    before = dialogue([_toolless(other) for _ in range(draw.number(1, 3))])
    return Sample("choose tool", (*_systems(draw), *before, _user(call.question), called([call])), _offer(draw, [call], draw.number(1, 2)))


def long_talk(draw: Draw) -> Sample:
    """Many turns, with tools and calls among them, so that a long context is nothing new."""
    other = draw.training()
    calls = [any_call(other)]
    tools = _offer(other, calls, draw.number(0, 3))
    messages = [*_systems(draw)]
    for _ in range(draw.number(6, 16)):
        messages += dialogue([_toolless(other)])
        if draw.chance(0.15):
            messages += [_user(calls[0].question), called(calls), *_answered(other, calls[0], "result")]
    ending = draw.weighted({_toolless: 3, None: 1})
    last = dialogue([ending(draw)]) if ending else (_user(calls[0].question), called(calls))
    return Sample("long chat", (*messages, *last), tools)
