"""What a chat's template is given beside messages and tools: documents, and how the prompt ends. Must not know a template."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from engine import JsonObject
from handlers.wire.continuation import continues
from handlers.wire.refusal import InvalidParameter

ENDINGS = ("add_generation_prompt", "continue_final_message")
"""Hugging Face's names for the two; clients of vLLM send them beside the other variables, or in a request itself."""

_RESERVED = ("messages", "tools")


class PromptEnding(NamedTuple):
    """As in the engine's ChatPrompt."""

    add_generation_prompt: bool
    continue_final_message: bool


def parse_ending(body: Mapping[str, Any], messages: Sequence[JsonObject]) -> PromptEnding:
    """How the prompt ends: unless the request says otherwise, within the assistant's last message where that is the last of all, else
    where an answer begins. Raises InvalidParameter."""
    opens, goes_on = (_ending(body, name) for name in ENDINGS)
    if goes_on is None:
        goes_on = opens is not False and continues(messages)
    elif goes_on and opens:
        raise InvalidParameter("continue_final_message: cannot be true beside add_generation_prompt", ENDINGS[1])
    elif goes_on and not continues(messages):
        raise InvalidParameter("continue_final_message: the last message is not an assistant's text", ENDINGS[1])
    return PromptEnding(opens is not False, goes_on)


def _ending(body: Mapping[str, Any], name: str) -> bool | None:
    given = (body.get("chat_template_kwargs") or {}).get(name)
    own = body.get(name)
    if given is None:
        return own
    where = f"chat_template_kwargs.{name}"
    if not isinstance(given, bool):
        raise InvalidParameter(f"{where}: expected true or false", where)
    if own is not None and own != given:
        raise InvalidParameter(f"{where}: contradicts {name}; send one of the two", where)
    return given


def parse_variables(body: Mapping[str, Any]) -> JsonObject:
    """The variables that a request gives: its documents, and `chat_template_kwargs` as they are. Raises InvalidParameter for those that
    hold the conversation, and for documents that come twice."""
    given = body.get("chat_template_kwargs") or {}
    for name in _RESERVED:
        if name in given:
            where = f"chat_template_kwargs.{name}"
            raise InvalidParameter(f"{where}: this variable is set from the request itself", where)
    documents = body.get("documents")
    if documents and given.get("documents"):
        raise InvalidParameter("documents: also among chat_template_kwargs; send one of the two", "documents")
    variables = {name: value for name, value in given.items() if name not in ENDINGS}
    return {"documents": documents, **variables} if documents else variables
