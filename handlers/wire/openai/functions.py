"""The older form of tools, `functions` and `function_call`: read as tools, and a call written back in that form.

Owns the difference between the two forms. Must not know how tools are offered, nor how answers are rendered otherwise.
"""

from collections.abc import Iterable

from engine import JsonObject
from handlers.wire.refusal import InvalidParameter
from handlers.wire.types.openai import (
    ChatCompletionFunctions,
    ChatCompletionNamedToolChoice,
    ChatCompletionTool,
    ChatCompletionToolChoiceOption,
    CreateChatCompletionRequest,
    FunctionObject,
)

Body = CreateChatCompletionRequest


def uses_functions(body: Body) -> bool:
    """Whether a request speaks of functions in the older form. Raises InvalidParameter where it mixes the two forms."""
    if body.get("functions") is None:
        if isinstance(body.get("function_call"), dict):
            raise InvalidParameter("function_call: it names a function, but there are no functions", "function_call")
        return False
    for newer in ("tools", "tool_choice"):
        if body.get(newer):
            raise InvalidParameter(f"functions: they cannot stand beside {newer}, their newer form", "functions")
    return True


def functions_as_tools(body: Body) -> list[ChatCompletionTool]:
    """`functions` in the newer form."""
    return [{"type": "function", "function": _function(each)} for each in body.get("functions") or ()]


def choice_of_function(body: Body) -> ChatCompletionToolChoiceOption:
    """`function_call` in the newer form. Raises InvalidParameter where it names what is not offered."""
    choice = body.get("function_call") or "auto"
    if isinstance(choice, str):
        return choice
    name = choice["name"]
    if name not in {each["name"] for each in body.get("functions") or ()}:
        raise InvalidParameter(f"function_call.name: {name!r} is not among the functions", "function_call.name")
    named: ChatCompletionNamedToolChoice = {"type": "function", "function": {"name": name}}
    return named


def in_older_form(choices: Iterable[JsonObject]) -> list[JsonObject]:
    """Rendered choices, whole or of a chunk, with their one call in the older form."""
    return [_older_choice(choice) for choice in choices]


def _older_choice(choice: JsonObject) -> JsonObject:
    part = "message" if "message" in choice else "delta"
    reason = "function_call" if choice["finish_reason"] == "tool_calls" else choice["finish_reason"]
    message = dict(choice[part])
    calls = message.pop("tool_calls", None)
    if calls:
        message["function_call"] = calls[0]["function"]
    return {**choice, part: message, "finish_reason": reason}


def _function(function: ChatCompletionFunctions) -> FunctionObject:
    described: FunctionObject = {"name": function["name"]}
    if function.get("description"):
        described["description"] = function["description"]
    if function.get("parameters"):
        described["parameters"] = function["parameters"]
    return described
