"""Owns the tools that training chats offer: a dozen everyday families, and tools invented on the spot.

A `Call` says what the user asks, which arguments follow from it, and what the tool gives back; how these become a chat is not its
business.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..samples import Draw, Json, Message, phrase
from ..world import CITIES, NOUNS, PEOPLE, REGIONS, TOPICS, VERBS
from .words import any_word, invented_word, some_text


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
        function = self.tool["function"]
        assert isinstance(function, dict)
        return str(function["name"])


def schema(draw: Draw, name: str, description: str, parameters: Sequence[Parameter]) -> Message:
    """The tool as clients send it, with the freedoms that they take."""
    properties: dict[str, Json] = {}
    sorted_keys = draw.chance(0.3)
    for parameter in parameters:
        entry: dict[str, Json] = {"type": parameter.kind}
        if parameter.kind == "array":
            entry["items"] = {"type": "string"}
        if parameter.description and draw.chance(0.75):
            entry["description"] = parameter.description
        if parameter.options:
            entry["enum"] = list(parameter.options)
        if draw.chance(0.04):
            entry["title"] = parameter.name.title()
        properties[parameter.name] = dict(sorted(entry.items())) if sorted_keys else entry
    required = [parameter.name for parameter in parameters if parameter.required]
    function: dict[str, Json] = {"name": name, "parameters": {"type": "object", "properties": properties}}
    if draw.chance(0.88):
        function["description"] = description
    if draw.chance(0.85):
        function["parameters"] = {"type": "object", "properties": properties, "required": required}
    return {"type": "function", "function": function}


def place(draw: Draw) -> str:
    """A place as people write it: a city, perhaps with its region."""
    city = draw.one(CITIES) if draw.chance(0.75) else invented_word(draw).capitalize()
    return f"{city}, {draw.one(REGIONS)}" if draw.chance(0.15) else city


def _styled(draw: Draw, words: str) -> str:
    """A function name in one of the usual spellings."""
    parts = words.split()
    camel = parts[0] + "".join(part.capitalize() for part in parts[1:])
    return draw.weighted({"_".join(parts): 8, camel: 1, camel[0].upper() + camel[1:]: 0.7, "-".join(parts): 0.3})


_UNIT = Parameter("unit", "string", "The unit of the temperature", ("celsius", "fahrenheit"), required=False)
_WEATHER = (
    "What is the weather in {x}?", "What's the weather like in {x}?", "How is the weather in {x} today?", "weather in {x}", "What is the weather like in {x} today?",
    "Tell me the weather in {x}.", "Is it raining in {x}?", "What is the temperature in {x}?", "How warm is it in {x}?", "What's the weather in {x} right now?",
    "Give me the weather for {x}.", "How cold is it in {x}?", "Is it sunny in {x}?", "What will the weather be in {x}?", "Please check the weather in {x}.",
    "I need the weather in {x}.", "What's the weather in {x}?", "Get the weather in {x}.", "Do I need an umbrella in {x}?",
)  # fmt: skip


def weather(draw: Draw) -> Call:
    where = place(draw)
    temperature = draw.chance(0.2)
    name = _styled(draw, draw.one(("get temperature", "fetch temperature") if temperature else ("get weather", "get current weather", "fetch weather", "check weather", "get forecast", "weather", "get conditions")))
    key = draw.one(("city", "location", "city", "location", "place", "town"))
    text = draw.one((f"The {key}", "City name", "The name of the city", "The city and state, e.g. San Francisco, CA", "City and country, e.g. Bogota, Colombia", "The location to get the weather for"))
    unit = Parameter(draw.one(("unit", "format", "units")), "string", _UNIT.description, _UNIT.options, required=False)
    arguments: dict[str, Json] = {key: where}
    question = phrase(draw, _WEATHER, x=where)
    parameters = [Parameter(key, "string", text)]
    if draw.chance(0.35):
        parameters.append(unit)
        if draw.chance(0.5):
            chosen = draw.one(unit.options)
            question += phrase(draw, (" Use {u}.", " In {u}, please.", " Answer in {u}.", " in {u}"), u=chosen)
            arguments[unit.name] = chosen
    what = "temperature" if temperature else draw.one(("weather", "current weather", "weather forecast"))
    description = draw.one((f"Get the {what} for a city", f"Get the {what} in a given {key}", f"Returns the {what} of a place", f"Get the {what}"))
    result: dict[str, Json] = {"temperature": draw.number(-9, 39), "condition": draw.one(("sunny", "rain", "cloudy", "snow", "windy", "clear"))}
    return Call(schema(draw, name, description, parameters), question, arguments, "weather", result)


_OPERATIONS = {
    "add": ("+", ("What is {a} + {b}?", "Add {a} and {b}.", "What is {a} plus {b}?", "How much is {a} + {b}?", "What's {a} + {b}?", "{a} + {b}", "What is the sum of {a} and {b}?")),
    "subtract": ("-", ("What is {a} - {b}?", "What is {a} minus {b}?", "How much is {a} - {b}?", "{a} - {b}", "What's {a} - {b}?")),
    "multiply": ("*", ("What is {a} times {b}?", "What is {a} * {b}?", "Multiply {a} by {b}.", "How much is {a} times {b}?", "{a} * {b}", "Multiply {a} and {b}.")),
    "divide": ("/", ("What is {a} divided by {b}?", "What is {a} / {b}?", "Divide {a} by {b}.", "{a} / {b}")),
}  # fmt: skip


def operation(draw: Draw) -> Call:
    """A calculator for one operation, with two numbers as parameters."""
    verb = draw.one(list(_OPERATIONS))
    _, questions = _OPERATIONS[verb]
    high = draw.one((9, 99, 999, 9999))
    a, b = draw.number(0, high), draw.number(1, high)
    first, second = draw.one((("a", "b"), ("a", "b"), ("x", "y"), ("first", "second"), ("left", "right"), ("number1", "number2"), ("first_number", "second_number")))
    kind = draw.one(("integer", "number"))
    parameters = [Parameter(first, kind, "The first number"), Parameter(second, kind, "The second number")]
    name = _styled(draw, draw.one((verb, verb, f"{verb} numbers", f"{verb} two numbers")))
    description = draw.one((f"{verb.capitalize()} two numbers", f"{verb.capitalize()} a and b", f"{verb.capitalize()} two integers"))
    return Call(schema(draw, name, description, parameters), phrase(draw, questions, a=a, b=b), {first: a, second: b}, "calculator", {"result": a + b})


def calculator(draw: Draw) -> Call:
    """A calculator that takes an expression."""
    high = draw.one((9, 99, 999, 9999))
    sign = draw.one("+-*/")
    expression = f"{draw.number(0, high)} {sign} {draw.number(1, high)}" + (f" {draw.one('+-*')} {draw.number(1, high)}" if draw.chance(0.2) else "")
    question = phrase(draw, ("What is {x}?", "Calculate {x}.", "Compute {x}", "How much is {x}?", "What's {x}?", "{x}", "Work out {x}.", "Evaluate {x}.", "Use the calculator for {x}."), x=expression)
    key = draw.one(("expression", "expression", "formula", "input", "query"))
    description = draw.one(("Calculate an expression", "Evaluate a math expression", "A calculator", "Does arithmetic", "Compute the value of an expression"))
    tool = schema(draw, _styled(draw, draw.one(("calculate", "calculator", "compute", "evaluate", "do math"))), description, [Parameter(key, "string", draw.one(("The expression", "e.g. 2 + 3", "What to calculate")))])
    return Call(tool, question, {key: expression}, "calculator", {"result": draw.number(0, 9999)})


def search(draw: Draw) -> Call:
    query = draw.one(TOPICS).strip() if draw.chance(0.3) else some_text(draw).rstrip(".!?")
    question = phrase(draw, ("Search for {x}", "Search the web for {x}", "Look up {x}", "search {x}", "Please search for {x}", "Find information about {x}", "Use search to find {x}", "Can you look up {x}", 'Search for "{x}"', "Google {x}", "Find {x}"), x=query)
    key = draw.one(("query", "query", "q", "text", "search_term", "keywords"))
    name = _styled(draw, draw.one(("search", "web search", "search web", "search the web", "lookup", "find", "google search")))
    description = draw.one(("Search the web", "Search the internet for information", "Look something up on the web", "Find pages about a query"))
    return Call(schema(draw, name, description, [Parameter(key, "string", draw.one(("The query", "What to search for", "The search query")))]), question, {key: query}, "search", {"title": some_text(draw)})


_ROOMS = "kitchen bedroom office bathroom garage hall garden cellar".split()
_LANGUAGES = "French German Spanish Italian Japanese Polish Dutch Greek Turkish Latin".split()
_CURRENCIES = "USD EUR GBP JPY CHF CAD INR SEK".split()

Everyday = tuple[str, tuple[str, ...], tuple[tuple[str, str, str], ...], tuple[str, ...]]
_EVERYDAY: dict[str, Everyday] = {
    "time": ("Get the current time in a city", ("get time", "get current time", "current time"), (("city|timezone|location|place", "string", "place"),), ("What time is it in {0}?", "Tell me the time in {0}.", "what's the time in {0}", "What is the current time in {0}?")),
    "email": ("Send an email", ("send email", "send mail", "email"), (("to|recipient", "string", "person"), ("subject|title", "string", "word"), ("body|text|message", "string", "text")), ('Send an email to {0} with the subject "{1}" and the text "{2}".', 'Email {0}, subject "{1}", text "{2}".')),
    "message": ("Send a message to a person", ("send message", "send sms", "notify"), (("to|name|user", "string", "person"), ("text|message|content", "string", "text")), ('Send {0} the message "{1}".', "Tell {0}: {1}", 'Send a message to {0}: "{1}"')),
    "timer": ("Set a timer", ("set timer", "start timer", "timer"), (("minutes|duration|time", "integer", "small"),), ("Set a timer for {0} minutes.", "Start a timer of {0} minutes.", "timer {0} minutes", "Wake me in {0} minutes.")),
    "translate": ("Translate a text into a language", ("translate", "translate text"), (("text|input", "string", "text"), ("language|target|target_language", "string", "language")), ('Translate "{0}" into {1}.', 'Translate "{0}" to {1}.', 'How do you say "{0}" in {1}?', "Translate {0} into {1}.")),
    "convert": ("Convert an amount of money", ("convert currency", "convert money", "exchange"), (("amount|value", "number", "number"), ("from|source|from_currency", "string", "currency"), ("to|target|to_currency", "string", "currency")), ("Convert {0} {1} to {2}.", "How much is {0} {1} in {2}?", "Change {0} {1} into {2}.")),
    "light": ("Switch a light", ("set light", "switch light", "turn on light"), (("room|place", "string", "room"), ("on|state|enabled", "boolean", "on")), ("Turn {1} the light in the {0}.", "Switch {1} the light in the {0}.", "Turn the {0} light {1}.")),
    "stock": ("Get the price of a stock", ("get stock price", "stock price", "get price"), (("symbol|ticker|stock", "string", "symbol"),), ("What is the price of {0}?", "Stock price of {0}?", "How much is {0} stock?", "Get the stock price of {0}.")),
    "population": ("Get the population of a place", ("get population", "population"), (("city|location|place|country", "string", "place"),), ("What is the population of {0}?", "How many people live in {0}?", "Population of {0}?")),
    "order": ("Get the delivery date of an order", ("get delivery date", "get order status", "track order"), (("order_id|id|order", "string", "code"),), ("Where is my order {0}?", "When will order {0} arrive?", "Track order {0}.", "What is the status of order {0}?")),
    "flight": ("Find flights between two cities", ("find flights", "search flights", "book flight", "get flight times"), (("from|origin|departure", "string", "city"), ("to|destination|arrival", "string", "city")), ("Find a flight from {0} to {1}.", "I want to fly from {0} to {1}.", "Flights from {0} to {1}?", "Book a flight from {0} to {1}.")),
    "distance": ("Get the distance between two places", ("get distance", "distance", "measure distance"), (("from|start|a|origin", "string", "city"), ("to|end|b|destination", "string", "city")), ("How far is it from {0} to {1}?", "What is the distance from {0} to {1}?", "Distance between {0} and {1}?")),
    "music": ("Play a song", ("play music", "play song", "play"), (("song|title|name|track", "string", "text"),), ('Play "{0}".', "Play the song {0}.", "I want to hear {0}.", "play {0}")),
    "horoscope": ("Get today's horoscope for a sign", ("get horoscope", "horoscope"), (("sign", "string", "sign"),), ("What is my horoscope? I am a {0}.", "Horoscope for {0}?", "Give me the horoscope for {0}.")),
    "reminder": ("Create a reminder", ("create reminder", "remind me", "add reminder"), (("text|task|title", "string", "text"), ("day|date|when", "string", "day")), ('Remind me on {1} of "{0}".', "Remind me on {1}: {0}", 'Set a reminder for {1}: "{0}"')),
    "user": ("Get a user by id", ("get user", "find user", "load user", "get customer"), (("id|user_id", "integer", "number"),), ("Get the user with id {0}.", "Who is user {0}?", "Load user {0}.", "Show me user {0}.")),
    "file": ("Read a file", ("read file", "open file", "load file"), (("path|file|filename|name", "string", "path"),), ("Read the file {0}.", "Open {0}", "What is in the file {0}?", "Show me {0}")),
    "recipe": ("Find a recipe for a dish", ("get recipe", "find recipe"), (("dish|food|name|meal", "string", "word"),), ("How do I cook {0}?", "Find a recipe for {0}.", "Recipe for {0}?", "I want to cook {0}.")),
}  # fmt: skip
_VALUES: dict[str, Callable[[Draw], Json]] = {
    "place": place, "city": lambda draw: draw.one(CITIES), "person": lambda draw: draw.one(PEOPLE) if draw.chance(0.7) else invented_word(draw).capitalize(),
    "word": any_word, "text": lambda draw: some_text(draw).rstrip(".!?"), "small": lambda draw: draw.number(1, 90), "number": lambda draw: draw.number(1, 9999),
    "language": lambda draw: draw.one(_LANGUAGES), "currency": lambda draw: draw.one(_CURRENCIES), "room": lambda draw: draw.one(_ROOMS), "on": lambda draw: draw.chance(0.5),
    "symbol": lambda draw: "".join(draw.some("ABCDEFGHIJKLMNOPQRSTUVWXYZ", draw.number(2, 4))), "code": lambda draw: "".join(draw.some("ABCDEFGH0123456789", draw.number(3, 7))),
    "day": lambda draw: draw.one("Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()), "path": lambda draw: f"{any_word(draw).replace(' ', '_')}.{draw.one(('txt', 'csv', 'json', 'md'))}",
    "sign": lambda draw: draw.one("Aries Taurus Gemini Cancer Leo Virgo Libra Scorpio Sagittarius Capricorn Aquarius Pisces".split()),
}  # fmt: skip


def everyday(draw: Draw) -> Call:
    """One of the other families."""
    family = draw.one(list(_EVERYDAY))
    description, names, slots, questions = _EVERYDAY[family]
    values = [_VALUES[value](draw) for _, _, value in slots]
    keys = [draw.one(names_of.split("|")) for names_of, _, _ in slots]
    shown = [("on" if value else "off") if isinstance(value, bool) else value for value in values]
    numbered = [question.replace("{0}", "{v0}").replace("{1}", "{v1}").replace("{2}", "{v2}") for question in questions]
    question = phrase(draw, numbered, **{f"v{at}": value for at, value in enumerate(shown)})
    parameters = [Parameter(key, kind, f"The {key.replace('_', ' ')}") for key, (_, kind, _) in zip(keys, slots, strict=True)]
    tool = schema(draw, _styled(draw, draw.one(names)), description, parameters)
    return Call(tool, question, dict(zip(keys, values, strict=True)), family, {"status": draw.one(("ok", "done", "sent"))})


_KINDS = {"string": 6, "integer": 2, "number": 1, "boolean": 0.7, "array": 0.5}


def _typed_value(draw: Draw, kind: str) -> tuple[Json, str]:
    """A value of the kind, and how the user writes it."""
    if kind in ("integer", "number"):
        number = draw.number(0, 999)
        return number, str(number)
    if kind == "boolean":
        truth = draw.chance(0.5)
        return truth, "true" if truth else "false"
    if kind == "array":
        words = [any_word(draw).replace(" ", "_") for _ in range(draw.number(2, 3))]
        return words, " and ".join((", ".join(words[:-1]), words[-1]))
    text = str(draw.number(0, 999)) if draw.chance(0.08) else any_word(draw) if draw.chance(0.8) else place(draw)
    return text, text


def _names_of_parameters(draw: Draw, count: int) -> list[str]:
    names = itertools.islice(dict.fromkeys(draw.one(NOUNS) if draw.chance(0.7) else invented_word(draw) for _ in range(count * 3 + 3)), count)
    return [f"{name}_{draw.one(('id', 'name', 'type'))}" if draw.chance(0.08) else name for name in names]


def invented(draw: Draw) -> Call:
    """A tool that no list holds; its name decides which side of the split it is on."""

    def make() -> tuple[str, tuple[str, str]]:
        verb = draw.one(VERBS) if draw.chance(0.85) else invented_word(draw)
        thing = draw.one(NOUNS) if draw.chance(0.6) else invented_word(draw)
        return f"tool {verb} {thing}", (verb, thing)

    verb, thing = draw.fresh(make)
    name = _styled(draw, f"{verb} {thing}")
    count = draw.weighted({1: 5, 2: 4, 3: 1.5, 0: 0.6})
    kinds = [draw.weighted(_KINDS) for _ in range(count)]
    keys = _names_of_parameters(draw, count)
    values = [_typed_value(draw, kind) for kind in kinds]
    question = _request(draw, verb, thing, name, [(key, text) for key, (_, text) in zip(keys, values, strict=True)])
    parameters = [Parameter(key, kind, f"The {key.replace('_', ' ')}" if draw.chance(0.7) else "") for key, kind in zip(keys, kinds, strict=True)]
    description = draw.one((f"{verb.capitalize()} a {thing}", f"{verb.capitalize()} the {thing}", f"{verb.capitalize()}s the {thing}", f"Use this to {verb} a {thing}"))
    arguments: dict[str, Json] = {key: value for key, (value, _) in zip(keys, values, strict=True)}
    return Call(schema(draw, name, description, parameters), question, arguments, "invented", {thing: draw.number(0, 999)})


def _request(draw: Draw, verb: str, thing: str, name: str, values: list[tuple[str, str]]) -> str:
    """How the user asks for an invented tool: by its words or by its name, with its arguments named or not."""
    by_words = (f"{verb.capitalize()} the {thing}", f"Please {verb} the {thing}", f"{verb} the {thing}", f"Can you {verb} a {thing}", f"I want to {verb} a {thing}")
    by_name = (f"Use {name}", f"Call {name}", f"Run the tool {name}", f"Use the {name} tool", f"Call the function {name}")
    start = draw.one(by_words if draw.chance(0.65) else by_name)
    if not values:
        return start + draw.one(("", ".", " now."))
    if len(values) == 1 and draw.chance(0.5):
        return f"{start} {draw.one(('for', 'with', 'of', 'in', 'called', 'from'))} {values[0][1]}{draw.one(('', '.', '?'))}"
    named = [draw.one((f"{key} {text}", f"{key} {text}", f"{key}={text}", f"{key}: {text}", f"the {key} {text}")) for key, text in values]
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
    return known(draw) if draw.chance(0.5) else invented(draw)
