"""OpenAI's messages in the form that chat templates expect (the one of Hugging Face's templates).

Owns roles, content parts, tool calls and tool answers in a conversation's history. Must not know a template.
"""

from collections.abc import Iterator, Mapping, Sequence

import orjson

from engine import JsonObject
from handlers.wire.refusal import UNSUPPORTED_PARAMETER, InvalidParameter
from handlers.wire.types.openai import (
    ChatCompletionMessageToolCall,
    ChatCompletionMessageToolCallFunction,
    ChatCompletionRequestAssistantMessage,
    ChatCompletionRequestAssistantMessageContentPart,
    ChatCompletionRequestMessage,
    ChatCompletionRequestUserMessageContentPart,
)

Part = ChatCompletionRequestUserMessageContentPart | ChatCompletionRequestAssistantMessageContentPart


def template_messages(messages: Sequence[ChatCompletionRequestMessage]) -> tuple[JsonObject, ...]:
    """The conversation for the model's template.

    `developer` becomes `system`, the older `function` role becomes `tool`; text parts are joined by line ends; absent
    content is empty text. A tool's answer gets the name of the function that it answers, which some templates show.
    Raises InvalidParameter for a part that is not text.
    """
    names = _function_names(messages)
    return tuple(_message(message, names, f"messages[{number}]") for number, message in enumerate(messages))


def _message(message: ChatCompletionRequestMessage, names: Mapping[str, str], where: str) -> JsonObject:
    if message["role"] == "assistant":
        return _assistant(message, where)
    if message["role"] == "function":
        return {"role": "tool", "content": message["content"] or "", "name": message["name"]}
    content = _text(message["content"], where)
    if message["role"] == "tool":
        call_id = message["tool_call_id"]
        return {"role": "tool", "content": content, "tool_call_id": call_id, **_named(names.get(call_id))}
    role = "system" if message["role"] == "developer" else message["role"]
    return {"role": role, "content": content, **_named(message.get("name"))}


def _assistant(message: ChatCompletionRequestAssistantMessage, where: str) -> JsonObject:
    """A refusal is what the assistant said, so it is content as any other."""
    texts = (_text(message.get("content"), where), message.get("refusal"))
    content = "\n".join(text for text in texts if text)
    calls = [_tool_call(call) for call in _function_calls(message)]
    if older := message.get("function_call"):
        calls.append({"type": "function", "function": _function(older)})
    thoughts = message.get("reasoning_content") or message.get("reasoning")
    optional = {"reasoning_content": thoughts, "tool_calls": calls}
    given = {key: value for key, value in optional.items() if value}
    return {"role": "assistant", "content": content, **_named(message.get("name")), **given}


def _named(name: str | None) -> JsonObject:
    return {"name": name} if name else {}


def _text(content: str | Sequence[Part] | None, where: str) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(_part_text(part, f"{where}.content[{number}]") for number, part in enumerate(content or ()))


def _part_text(part: Part, where: str) -> str:
    if part["type"] == "text":
        return part["text"]
    if part["type"] == "refusal":
        return part["refusal"]
    raise InvalidParameter(f"{where}: expected text, but got {part['type']}", where, code=UNSUPPORTED_PARAMETER)


def _function_calls(message: ChatCompletionRequestAssistantMessage) -> Iterator[ChatCompletionMessageToolCall]:
    """The message's tool calls. Those of custom tools are refused by the contract's coverage."""
    return (call for call in message.get("tool_calls") or () if call["type"] == "function")


def _tool_call(call: ChatCompletionMessageToolCall) -> JsonObject:
    return {"id": call["id"], "type": "function", "function": _function(call["function"])}


def _function(function: ChatCompletionMessageToolCallFunction) -> JsonObject:
    """Templates want arguments as an object. What a model once wrote may be no JSON: then it stays the text it was."""
    try:
        arguments = orjson.loads(function["arguments"])
    except orjson.JSONDecodeError:
        arguments = None
    return {"name": function["name"], "arguments": arguments if isinstance(arguments, dict) else function["arguments"]}


def _function_names(messages: Sequence[ChatCompletionRequestMessage]) -> dict[str, str]:
    assistants = (message for message in messages if message["role"] == "assistant")
    return {call["id"]: call["function"]["name"] for message in assistants for call in _function_calls(message)}
