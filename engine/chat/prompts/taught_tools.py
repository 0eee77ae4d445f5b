"""Tools described in words, for templates that have no place for them: which there are, and how a call is to be written.

The form of a call is the one whose marks the template mentions, else Hermes'. Must not know how a template is rendered or a call is read.
"""

import json
from collections.abc import Sequence

from engine.chat.prompts.folding import text_of_parts
from engine.chat.prompts.written_calls import written_calls
from engine.request import JsonObject

_EXAMPLE: JsonObject = {"function": {"name": "NAME", "arguments": {"PARAMETER": "VALUE"}}}


def call_form(template_source: str) -> str:
    """A call as an example."""
    return written_calls([_EXAMPLE], template_source)


def with_taught_tools(
    messages: Sequence[JsonObject], tools: Sequence[JsonObject], template_source: str
) -> list[JsonObject]:
    """The messages with what there is to know about the tools behind the first system message, or in one of its own."""
    lesson = _lesson(tools, template_source)
    first = messages[0] if messages else None
    if first is None or first["role"] not in {"system", "developer"}:
        return [{"role": "system", "content": lesson}, *messages]
    said = text_of_parts(first.get("content"))
    taught = [*said, {"type": "text", "text": lesson}] if isinstance(said, list) else f"{said}\n\n{lesson}".lstrip("\n")
    return [{**first, "content": taught}, *messages[1:]]


def _lesson(tools: Sequence[JsonObject], template_source: str) -> str:
    described = "\n".join(json.dumps(tool["function"], ensure_ascii=False) for tool in tools)
    return (
        f"You can call these functions, each of which is described by a line of JSON:\n<tools>\n{described}\n</tools>\n\n"
        f"To call one, write it in exactly this form:\n{call_form(template_source)}\n\n"
        "Its result comes in the message that follows. Where no function helps, answer without."
    )
