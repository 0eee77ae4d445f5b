"""In which forms a template takes what can be written in several: the arguments of calls, and that there are no tools.

Found by rendering small conversations and looking at what comes out, since templates do not say. Must not know a real conversation.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.request import JsonObject

Render = Callable[[list[JsonObject], Sequence[JsonObject] | None], str | None]
"""Renders messages with tools; None where the template fails or refuses."""

PROBE_TOOL: JsonObject = {
    "type": "function",
    "function": {
        "name": "probe",
        "description": "probe",
        "parameters": {
            "type": "object",
            "properties": {"place": {"type": "string", "description": "probe"}},
            "required": ["place"],
        },
    },
}

_VALUE = "qzv7x"
_AS_OBJECT = {"place": _VALUE}
_AS_TEXT = json.dumps(_AS_OBJECT)
_CUT_TEXT = _AS_TEXT[:-2]
_PRINTED_BY_PYTHON = repr(_AS_OBJECT)
_USER: JsonObject = {"role": "user", "content": "probe"}
_NINE = "abcdefgh1"


@dataclass(frozen=True)
class TemplateForms:
    """`arguments`: both (shown alike, as text or object), object, text, or none: the template shows no calls.

    `any_text`: also text that is no JSON. `no_tools`: what stands for it. `works`: it renders a user's message at all.
    """

    arguments: Literal["both", "object", "text", "none"]
    any_text: bool
    no_tools: list[JsonObject] | None
    works: bool


def find_forms(render: Render) -> TemplateForms:
    """Renders a handful of conversations."""
    takes_none = render([_USER], None) is not None
    takes_empty = not takes_none and render([_USER], []) is not None
    return TemplateForms(
        arguments=_arguments(render),
        any_text=_VALUE in (_with_call(render, _CUT_TEXT) or ""),
        no_tools=[] if takes_empty else None,
        works=takes_none or takes_empty or render([_USER], [PROBE_TOOL]) is not None,
    )


def _arguments(render: Render) -> Literal["both", "object", "text", "none"]:
    from_object, from_text = _with_call(render, _AS_OBJECT), _with_call(render, _AS_TEXT)
    takes_object = from_object is not None and _VALUE in from_object and _PRINTED_BY_PYTHON not in from_object
    takes_text = from_text is not None and _VALUE in from_text and f'\\"{_VALUE}' not in from_text
    if takes_object:
        return "both" if from_object == from_text else "object"
    return "text" if takes_text else "none"


def _with_call(render: Render, arguments: Any) -> str | None:
    call = {"id": _NINE, "type": "function", "function": {"name": "probe", "arguments": arguments}}
    asked = [_USER, {"role": "assistant", "content": "", "tool_calls": [call]}]
    answered = [*asked, {"role": "tool", "tool_call_id": _NINE, "name": "probe", "content": "probe"}]
    rendered = render(answered, [PROBE_TOOL])
    return render(asked, [PROBE_TOOL]) if rendered is None else rendered


def in_form(messages: Sequence[JsonObject], forms: TemplateForms) -> list[JsonObject]:
    """The messages with the arguments of their calls as the template takes them."""
    return [
        {**message, "tool_calls": [_call_in_form(call, forms) for call in message["tool_calls"]]}
        if message.get("tool_calls")
        else message
        for message in messages
    ]


def _call_in_form(call: JsonObject, forms: TemplateForms) -> JsonObject:
    function = call["function"]
    return {**call, "function": {**function, "arguments": _in_form(function.get("arguments"), forms)}}


def _in_form(arguments: Any, forms: TemplateForms) -> Any:
    """What is no JSON object where there must be one becomes the only member of one: a model's mistake of earlier is shown, not mended."""
    value = _parsed(arguments)
    if forms.arguments == "none":
        return value
    if not isinstance(value, dict) and not forms.any_text:
        value = arguments = {"arguments": arguments}
    if forms.arguments == "object":
        return value if isinstance(value, dict) else {"arguments": arguments}
    if forms.arguments == "both" and isinstance(arguments, dict):
        return arguments
    return arguments if isinstance(arguments, str) and arguments.strip() else json.dumps(value, ensure_ascii=False)


def _parsed(arguments: Any) -> Any:
    """The value of JSON text, no arguments as an empty object; text that is no JSON stays text."""
    if arguments is None or (isinstance(arguments, str) and not arguments.strip()):
        return {}
    try:
        return json.loads(arguments) if isinstance(arguments, str) else arguments
    except (ValueError, RecursionError):
        return arguments
