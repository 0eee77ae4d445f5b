"""Owns the tools that training chats offer: everyday ones, and tools invented on the spot.

A `Call` says what the user asks, which arguments follow from it, and what the tool gives back; how these become a chat is not its
business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.demo_model.samples import Draw, Json, Message, phrase
from tools.demo_model.skills.words import any_word, invented_word, person, some_text
from tools.demo_model.wordings import wordings
from tools.demo_model.world import CITIES, DAYS, NOUNS, REGIONS, TOPICS, VERBS

_WORDS = wordings("offers")
_WEATHER, _CALCULATOR, _SEARCH = _WORDS["weather"], _WORDS["calculator"], _WORDS["search"]
_OPERATIONS, _EVERYDAY, _INVENTED = _WORDS["operations"], _WORDS["everyday"], _WORDS["invented"]
_CAPITAL_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Parameter:
    """One parameter of a tool as its schema shows it."""

    name: str
    kind: str
    description: str = ""
    options: tuple[str, ...] = ()
    required: bool = True


@dataclass(frozen=True)
class Call:
    """A tool, a request that needs it, and the arguments that the request holds."""

    tool: Message
    question: str
    arguments: dict[str, Json]
    family: str
    result: dict[str, Json] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the tool's function."""
        function: Any = self.tool["function"]
        return str(function["name"])


def schema(draw: Draw, name: str, description: str, parameters: Sequence[Parameter]) -> Message:
    """The tool as clients send it, with the freedoms that they take: keys in any order, descriptions or not, `required` or not."""
    in_order = draw.chance(0.3)
    properties = {parameter.name: _entry(draw, parameter, in_order) for parameter in parameters}
    function: dict[str, Json] = {"name": name, "parameters": {"type": "object", "properties": properties}}
    if draw.chance(0.88):
        function["description"] = description
    if draw.chance(0.85):
        required = [parameter.name for parameter in parameters if parameter.required]
        function["parameters"] = {"type": "object", "properties": properties, "required": required}
    return {"type": "function", "function": function}


def _entry(draw: Draw, parameter: Parameter, in_order: bool) -> dict[str, Json]:
    entry: dict[str, Json] = {"type": parameter.kind}
    if parameter.kind == "array":
        entry["items"] = {"type": "string"}
    if parameter.description and draw.chance(0.75):
        entry["description"] = parameter.description
    if parameter.options:
        entry["enum"] = list(parameter.options)
    if draw.chance(0.04):
        entry["title"] = parameter.name.title()
    return dict(sorted(entry.items())) if in_order else entry


def place(draw: Draw) -> str:
    """A place as people write it: a city, perhaps with its region."""
    city = draw.one(CITIES) if draw.chance(0.75) else invented_word(draw).capitalize()
    return f"{city}, {draw.one(REGIONS)}" if draw.chance(0.15) else city


def _styled(draw: Draw, words: str) -> str:
    """A function name in one of the usual spellings."""
    parts = words.split()
    camel = parts[0] + "".join(part.capitalize() for part in parts[1:])
    return draw.weighted({"_".join(parts): 8, camel: 1, camel[0].upper() + camel[1:]: 0.7, "-".join(parts): 0.3})


def weather(draw: Draw) -> Call:
    """The weather or the temperature somewhere, perhaps in a unit."""
    where, key = place(draw), draw.one(_WEATHER["keys"])
    temperature = draw.chance(0.2)
    name = _styled(draw, draw.one(_WEATHER["temperature_names" if temperature else "names"]))
    what = "temperature" if temperature else draw.one(("weather", "current weather", "weather forecast"))
    arguments: dict[str, Json] = {key: where}
    question = phrase(draw, _WEATHER["asked"], x=where)
    parameters = [Parameter(key, "string", draw.one(_WEATHER["key_descriptions"]).format(key=key))]
    if draw.chance(0.35):
        unit = draw.one(_WEATHER["unit_keys"])
        parameters.append(Parameter(unit, "string", f"The {unit} of the temperature", tuple(_WEATHER["units"]), False))
        if draw.chance(0.5):
            arguments[unit] = draw.one(_WEATHER["units"])
            question += phrase(draw, _WEATHER["in_unit"], u=arguments[unit])
    description = draw.one(_WEATHER["described"]).format(what=what, key=key)
    result: dict[str, Json] = {"temperature": draw.number(-9, 39), "condition": draw.one(_WEATHER["conditions"])}
    return Call(schema(draw, name, description, parameters), question, arguments, "weather", result)


def operation(draw: Draw) -> Call:
    """A calculator for one operation, with two numbers as parameters."""
    verb = draw.one(list(_OPERATIONS["asked"]))
    high = draw.one((9, 99, 999, 9999))
    a, b = draw.number(0, high), draw.number(1, high)
    first, second = draw.one(_OPERATIONS["numbers"])
    kind = draw.one(("integer", "number"))
    parameters = [Parameter(first, kind, "The first number"), Parameter(second, kind, "The second number")]
    name = _styled(draw, draw.one(_OPERATIONS["names"]).format(verb=verb))
    description = draw.one(_OPERATIONS["described"]).format(verb=verb.capitalize())
    question = phrase(draw, _OPERATIONS["asked"][verb], a=a, b=b)
    result: dict[str, Json] = {"result": draw.number(0, 9999)}
    return Call(schema(draw, name, description, parameters), question, {first: a, second: b}, "calculator", result)


def _one_string(draw: Draw, words: dict[str, Any], value: str, family: str, result: dict[str, Json]) -> Call:
    """A call of a tool with one text as its parameter."""
    key = draw.one(words["keys"])
    parameter = Parameter(key, "string", draw.one(words["key_descriptions"]))
    tool = schema(draw, _styled(draw, draw.one(words["names"])), draw.one(words["described"]), [parameter])
    return Call(tool, phrase(draw, words["asked"], x=value), {key: value}, family, result)


def calculator(draw: Draw) -> Call:
    """A calculator that takes an expression."""
    high = draw.one((9, 99, 999, 9999))
    expression = f"{draw.number(0, high)} {draw.one('+-*/')} {draw.number(1, high)}"
    if draw.chance(0.2):
        expression += f" {draw.one('+-*')} {draw.number(1, high)}"
    return _one_string(draw, _CALCULATOR, expression, "calculator", {"result": draw.number(0, 9999)})


def search(draw: Draw) -> Call:
    """A search for anything."""
    query = draw.one(TOPICS) if draw.chance(0.3) else some_text(draw).rstrip(".!?")
    return _one_string(draw, _SEARCH, query, "search", {"title": some_text(draw)})


_VALUES: dict[str, Callable[[Draw], Json]] = {
    "place": place,
    "person": person,
    "word": any_word,
    "city": lambda draw: draw.one(CITIES),
    "text": lambda draw: some_text(draw).rstrip(".!?"),
    "small": lambda draw: draw.number(1, 90),
    "number": lambda draw: draw.number(1, 9999),
    "language": lambda draw: draw.one(_WORDS["languages"]),
    "currency": lambda draw: draw.one(_WORDS["currencies"]),
    "room": lambda draw: draw.one(_WORDS["rooms"]),
    "on": lambda draw: draw.chance(0.5),
    "symbol": lambda draw: "".join(draw.some(_CAPITAL_LETTERS, draw.number(2, 4))),
    "code": lambda draw: "".join(draw.some("ABCDEFGH0123456789", draw.number(3, 7))),
    "day": lambda draw: draw.one(DAYS),
    "path": lambda draw: f"{any_word(draw).replace(' ', '_')}.{draw.one(_WORDS['file_types'])}",
    "sign": lambda draw: draw.one(_WORDS["signs"]),
}


def everyday(draw: Draw) -> Call:
    """One of the other families."""
    family = draw.one(list(_EVERYDAY))
    words = _EVERYDAY[family]
    arguments: dict[str, Json] = {}
    parameters, shown = [], {}
    for at, slot in enumerate(words["parameters"]):
        key, value = draw.one(slot["names"]), _VALUES[slot["value"]](draw)
        arguments[key] = value
        parameters.append(Parameter(key, slot["type"], f"The {key.replace('_', ' ')}"))
        shown[f"v{at}"] = ("on" if value else "off") if isinstance(value, bool) else value
    tool = schema(draw, _styled(draw, draw.one(words["names"])), words["description"], parameters)
    result: dict[str, Json] = {"status": draw.one(("ok", "done", "sent"))}
    return Call(tool, phrase(draw, words["asked"], **shown), arguments, family, result)


_KINDS = {"string": 6, "integer": 2, "number": 1, "boolean": 0.7, "array": 1}


def _typed_value(draw: Draw, kind: str) -> tuple[Json, str]:
    """A value of the kind, and how the user writes it."""
    if kind in ("integer", "number"):
        number = draw.number(0, 999)
        return number, str(number)
    if kind == "boolean":
        truth = draw.chance(0.5)
        return truth, str(truth).lower()
    if kind == "array":
        words = [any_word(draw).replace(" ", "_") for _ in range(draw.number(2, 3))]
        return words, f"{', '.join(words[:-1])} and {words[-1]}"
    text = str(draw.number(0, 999)) if draw.chance(0.05) else any_word(draw) if draw.chance(0.8) else place(draw)
    return text, text


def _parameter_names(draw: Draw, count: int) -> list[str]:
    names: dict[str, None] = {}
    while len(names) < count:
        name = draw.one(NOUNS) if draw.chance(0.7) else invented_word(draw)
        names[f"{name}_{draw.one(('id', 'name', 'type'))}" if draw.chance(0.08) else name] = None
    return list(names)


def invented(draw: Draw) -> Call:
    """A tool that no list holds; its name decides which side of the split it is on."""

    def make() -> tuple[str, tuple[str, str]]:
        verb = draw.one(VERBS) if draw.chance(0.85) else invented_word(draw)
        thing = draw.one(NOUNS) if draw.chance(0.6) else invented_word(draw)
        return f"tool {verb} {thing}", (verb, thing)

    verb, thing = draw.fresh(make)
    name = _styled(draw, f"{verb} {thing}")
    kinds = [draw.weighted(_KINDS) for _ in range(draw.weighted({1: 5, 2: 4, 3: 1.5, 0: 0.6}))]
    keys = _parameter_names(draw, len(kinds))
    values = [_typed_value(draw, kind) for kind in kinds]
    arguments: dict[str, Json] = {key: value for key, (value, _) in zip(keys, values, strict=True)}
    question = _request(draw, verb, thing, name, [(key, text) for key, (_, text) in zip(keys, values, strict=True)])
    parameters = [
        Parameter(key, kind, f"The {key.replace('_', ' ')}" if draw.chance(0.7) else "")
        for key, kind in zip(keys, kinds, strict=True)
    ]
    described = draw.one(_INVENTED["described"]).format(verb=verb, thing=thing)
    tool = schema(draw, name, described[0].upper() + described[1:], parameters)
    return Call(tool, question, arguments, "invented", {thing: draw.number(0, 999)})


def _request(draw: Draw, verb: str, thing: str, name: str, values: list[tuple[str, str]]) -> str:
    """How the user asks for an invented tool: by its words or by its name, with its arguments named or not."""
    wording = draw.one(_INVENTED["by_words" if draw.chance(0.65) else "by_name"])
    start = str(wording).format(verb=verb, Verb=verb.capitalize(), thing=thing, name=name)
    if not values:
        return start + draw.one(("", ".", " now."))
    if len(values) == 1 and draw.chance(0.5):
        return f"{start} {draw.one(_INVENTED['for_one']).format(v=values[0][1])}"
    named = [draw.one(_INVENTED["named"]).format(k=key, v=text) for key, text in values]
    if draw.chance(0.25):
        draw.random.shuffle(named)
    joined = named[0] if len(named) == 1 else ", ".join(named[:-1]) + draw.one((" and ", ", ")) + named[-1]
    return f"{start} {draw.one(('with', 'with', 'for', 'using'))} {joined}{draw.one(('', '.'))}"


FAMILIES: dict[Callable[[Draw], Call], float] = {weather: 5, operation: 3, calculator: 2, search: 2.5, everyday: 7}


def known(draw: Draw) -> Call:
    """A call to an everyday tool; the request's exact words are held out."""

    def make() -> tuple[str, Call]:
        call = draw.weighted(FAMILIES)(draw)
        return f"{call.name}|{call.question}", call

    return draw.fresh(make)


def any_call(draw: Draw) -> Call:
    """An everyday tool or an invented one."""
    return known(draw) if draw.chance(0.5) else invented(draw)


def weather_of_two(draw: Draw) -> tuple[str, list[Call]]:
    """A request for the weather of two places, and its two calls of one tool."""

    def make() -> tuple[str, tuple[str, list[Call]]]:
        call = weather(draw)
        key = next(iter(call.arguments))
        first, second = (place(draw).split(",")[0] for _ in range(2))
        question = phrase(draw, _WORDS["weather_of_two"]["asked"], a=first, b=second)
        return question, (question, [Call(call.tool, question, {key: city}, "weather") for city in (first, second)])

    return draw.fresh(make)
