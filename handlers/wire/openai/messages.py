"""OpenAI's messages in the form that chat templates expect (the one of Hugging Face's templates).

Owns roles, content parts, tool calls and tool answers in a conversation's history. Must not know a template.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from engine import JsonObject
from handlers.wire.media import MediaSource, picture_at
from handlers.wire.openai.custom_tools import function_call
from handlers.wire.refusal import UNSUPPORTED_PARAMETER, InvalidParameter
from handlers.wire.types.openai import (
    ChatCompletionMessageCustomToolCall,
    ChatCompletionRequestAssistantMessage,
    ChatCompletionRequestAssistantMessageContentPart,
    ChatCompletionRequestMessage,
    ChatCompletionRequestToolCall,
    ChatCompletionRequestUserMessageContentPart,
)

_MEDIA = {"image_url": "image", "input_audio": "audio"}
_LOW_DETAIL_PIXELS = 512
"""As the published API documents it."""

Call = ChatCompletionRequestToolCall | ChatCompletionMessageCustomToolCall
Part = ChatCompletionRequestUserMessageContentPart | ChatCompletionRequestAssistantMessageContentPart


def template_messages(messages: Sequence[ChatCompletionRequestMessage]) -> tuple[JsonObject, ...]:
    """The conversation for the model's template.

    The older `function` role becomes `tool`; absent content is empty text. A tool's answer gets the name of the function that it
    answers, which some templates show.
    A picture or a sound is a part without its content. Raises InvalidParameter for a part of another kind.
    """
    names = _function_names(messages)
    return tuple(_message(message, names, f"messages[{number}]") for number, message in enumerate(messages))


def _message(message: ChatCompletionRequestMessage, names: Mapping[str, str], where: str) -> JsonObject:
    if message["role"] == "assistant":
        return _assistant(message, where)
    if message["role"] == "function":
        return {"role": "tool", "content": message["content"] or "", "name": message["name"]}
    content = _content(message["content"], where)
    if message["role"] == "tool":
        call_id = message["tool_call_id"]
        return {
            "role": "tool",
            "content": content,
            "tool_call_id": call_id,
            **_named(names.get(call_id) or _own_name(message)),
        }
    return {"role": message["role"], "content": content, **_named(message.get("name"))}


def _assistant(message: ChatCompletionRequestAssistantMessage, where: str) -> JsonObject:
    """A refusal is what the assistant said, so it is content as any other."""
    content = _content(message.get("content"), where)
    if refusal := message.get("refusal"):
        is_text = isinstance(content, str)
        content = f"{content}\n{refusal}".lstrip("\n") if is_text else [*content, {"type": "text", "text": refusal}]
    calls = [_tool_call(call) for call in message.get("tool_calls") or ()]
    if older := message.get("function_call"):
        calls.append({"type": "function", "function": dict(older)})
    thoughts = message.get("reasoning_content") or message.get("reasoning")
    optional = {"reasoning_content": thoughts, "tool_calls": calls}
    given = {key: value for key, value in optional.items() if value}
    return {"role": "assistant", "content": content, **_named(message.get("name")), **given}


def _own_name(message: Mapping[str, Any]) -> str | None:
    """Undescribed in a tool's message, but sent by many clients."""
    name = message.get("name")
    return name if isinstance(name, str) else None


def _named(name: str | None) -> JsonObject:
    return {"name": name} if name else {}


def media_sources(messages: Sequence[ChatCompletionRequestMessage]) -> list[MediaSource]:
    """The pictures and sounds of a conversation, in order. Raises InvalidParameter for an address that is none."""
    return [
        source
        for number, message in enumerate(messages)
        if message["role"] == "user" and not isinstance(message["content"], str)
        for place, part in enumerate(message["content"])
        if (source := _source(part, f"messages[{number}].content[{place}]")) is not None
    ]


def _source(part: Part, where: str) -> MediaSource | None:
    if part["type"] == "image_url":
        image = part["image_url"]
        return picture_at(image["url"], where, _LOW_DETAIL_PIXELS if image.get("detail") == "low" else None)
    if part["type"] == "input_audio":
        return MediaSource("audio", where, base64=part["input_audio"]["data"])
    return None


def _content(content: str | Sequence[Part] | None, where: str) -> str | list[JsonObject]:
    if isinstance(content, str):
        return content
    if not content:
        return ""
    return [_part(part, f"{where}.content[{number}]") for number, part in enumerate(content)]


def _part(part: Part, where: str) -> JsonObject:
    if part["type"] == "text":
        return {"type": "text", "text": part["text"]}
    if part["type"] == "refusal":
        return {"type": "text", "text": part["refusal"]}
    if part["type"] in _MEDIA:
        return {"type": _MEDIA[part["type"]]}
    raise InvalidParameter(
        f"{where}: expected text, a picture or sound, but got {part['type']}", where, code=UNSUPPORTED_PARAMETER
    )


def _tool_call(call: Call) -> JsonObject:
    if call["type"] == "custom":
        return function_call(call)
    return {"id": call["id"], "type": "function", "function": dict(call["function"])}


def _function_names(messages: Sequence[ChatCompletionRequestMessage]) -> dict[str, str]:
    calls = (call for m in messages if m["role"] == "assistant" for call in m.get("tool_calls") or ())
    return {call["id"]: (call["custom"] if call["type"] == "custom" else call["function"])["name"] for call in calls}
