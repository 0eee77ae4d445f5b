"""Ollama's messages and tools in the form that chat templates expect. Must not know a template."""

from collections.abc import Iterator, Mapping, Sequence

from engine import JsonObject
from handlers.wire.media import MediaSource
from handlers.wire.types.ollama import ChatMessage, EarlierToolCall, ToolDefinition


def template_messages(messages: Sequence[ChatMessage]) -> tuple[JsonObject, ...]:
    """The conversation for the model's template. A tool's answer is named by `tool_name`, or after the call that it answers."""
    names = dict(_function_names(messages))
    return tuple(_message(message, names) for message in messages)


def media_sources(messages: Sequence[ChatMessage]) -> list[MediaSource]:
    """The pictures of a conversation, in order."""
    return [
        source
        for number, message in enumerate(messages)
        for source in picture_sources(message.get("images"), f"messages[{number}].images")
    ]


def picture_sources(images: Sequence[str] | None, where: str) -> list[MediaSource]:
    """Pictures in base64; `where` is the field that lists them."""
    return [MediaSource("image", f"{where}[{number}]", base64=image) for number, image in enumerate(images or ())]


def with_pictures(images: Sequence[str] | None, text: str | None) -> str | list[JsonObject]:
    """A message's content: its pictures come before its text."""
    if not images:
        return text or ""
    return [*({"type": "image"} for _ in images), {"type": "text", "text": text or ""}]


def template_tools(tools: Sequence[ToolDefinition] | None) -> tuple[JsonObject, ...]:
    """The tools to show the model."""
    return tuple({"type": "function", "function": dict(tool["function"])} for tool in tools or ())


def _message(message: ChatMessage, names: Mapping[str, str]) -> JsonObject:
    call_id = message.get("tool_call_id")
    optional = {
        "name": message.get("tool_name") or names.get(call_id or ""),
        "tool_call_id": call_id,
        "reasoning_content": message.get("thinking"),
        "tool_calls": [_tool_call(call) for call in message.get("tool_calls") or () if "function" in call],
    }
    given = {key: value for key, value in optional.items() if value}
    return {"role": message["role"], "content": with_pictures(message.get("images"), message.get("content")), **given}


def _tool_call(call: EarlierToolCall) -> JsonObject:
    function = call["function"]
    rendered = {"name": function["name"], "arguments": function.get("arguments", {})}
    identity = {"id": call["id"]} if call.get("id") else {}
    return {**identity, "type": "function", "function": rendered}


def _function_names(messages: Sequence[ChatMessage]) -> Iterator[tuple[str, str]]:
    for message in messages:
        for call in message.get("tool_calls") or ():
            if "id" in call and "function" in call:
                yield call["id"], call["function"]["name"]
