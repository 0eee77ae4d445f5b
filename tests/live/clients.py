"""One way to use the synchronous and the asynchronous form of a client, and the tool that tests offer to the model."""

import inspect

WEATHER_TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "description": "The city's name"}},
            "required": ["city"],
        },
    },
}
PERSON_SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 20},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
    },
    "required": ["name", "age"],
    "additionalProperties": False,
}


async def settle(value):
    """`value`, awaited where the client is asynchronous."""
    return await value if inspect.isawaitable(value) else value


async def drain(stream):
    """Every item of a synchronous or asynchronous stream."""
    stream = await settle(stream)
    if hasattr(stream, "__aiter__"):
        return [item async for item in stream]
    return list(stream)


def ask(text):
    """A conversation of one user message."""
    return [{"role": "user", "content": text}]
