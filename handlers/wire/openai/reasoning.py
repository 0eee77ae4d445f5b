"""Whether, and how hard, a model thinks before it answers. Must not know how a template asks for it beyond its variables."""

from engine import JsonObject, ModelEntry
from handlers.wire.openai.template_settings import ENDINGS, parse_documents
from handlers.wire.refusal import UNSUPPORTED_PARAMETER, InvalidParameter
from handlers.wire.types.openai import CreateChatCompletionRequest as Body

_EFFORT_OF_EVERY_MODEL = ("none", "medium")
_RESERVED = ("messages", "tools")


def template_kwargs(body: Body, entry: ModelEntry) -> JsonObject:
    """The template variables that a request sets: those for `reasoning_effort`, `documents`, then `chat_template_kwargs` as they are.

    Raises InvalidParameter for an effort that the model can't make, and for variables that hold the conversation.
    """
    given = body.get("chat_template_kwargs") or {}
    for name in _RESERVED:
        if name in given:
            where = f"chat_template_kwargs.{name}"
            raise InvalidParameter(f"{where}: this variable is set from the request itself", where)
    variables = {name: value for name, value in given.items() if name not in ENDINGS}
    return {**_effort_variables(body.get("reasoning_effort"), entry), **parse_documents(body), **variables}


def _effort_variables(effort: str | None, entry: ModelEntry) -> JsonObject:
    """The default, `medium`, asks for nothing that a model without reasoning would have to refuse."""
    if effort is None:
        return {}
    if "thinking" in entry.metadata.capabilities:
        return {"reasoning_effort": effort, "enable_thinking": effort != "none"}
    if effort not in _EFFORT_OF_EVERY_MODEL:
        message = f"reasoning_effort: the model {entry.name!r} does not reason; expected none or medium"
        raise InvalidParameter(message, "reasoning_effort", code=UNSUPPORTED_PARAMETER)
    return {}
