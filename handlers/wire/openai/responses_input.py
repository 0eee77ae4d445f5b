"""The input of a Responses request as a conversation for the model's chat template: items become messages.

Owns which items make up one message of the assistant, and where in the request each message comes from. Must not know a template.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from engine import JsonObject
from handlers.wire.media import MediaSource, picture_at
from handlers.wire.openai.custom_tools import function_call
from handlers.wire.openai.sealed_reasoning import unsealed
from handlers.wire.refusal import UNSUPPORTED_PARAMETER, InvalidParameter
from handlers.wire.types import openai as types

LOW_DETAIL_PIXELS = 512
"""As the published API documents it."""

_THOUGHTS, _TEXT, _CALLS = range(3)

Part = (
    types.InputTextContent
    | types.InputImageContent
    | types.InputFileContent
    | types.EarlierTextContent
    | types.EarlierRefusalContent
)


class Conversation(NamedTuple):
    """Messages as templates expect them, the pictures in them in order, and where in the request each message begins."""

    messages: tuple[JsonObject, ...]
    media: tuple[MediaSource, ...]
    places: tuple[str, ...]


def parse_input(body: types.CreateResponse) -> Conversation:
    """The conversation that a validated body holds, its instructions first. Raises InvalidParameter for what can't be shown to a model."""
    reading = _Reading()
    if body.get("instructions"):
        reading.message({"role": "system", "content": body["instructions"]}, "instructions")
    given = body["input"]
    if isinstance(given, str):
        reading.message({"role": "user", "content": given}, "input")
    else:
        for number, item in enumerate(given):
            reading.item(item, f"input[{number}]")
        if not reading.messages:
            raise InvalidParameter(
                "input: expected an item that says something, but there is only empty thinking", "input"
            )
    return Conversation(tuple(reading.messages), tuple(reading.media), tuple(reading.places))


class _Reading:
    """A conversation as it grows by items. What an assistant thinks, says and calls, in this order, is one message."""

    def __init__(self) -> None:
        self.messages: list[JsonObject] = []
        self.media: list[MediaSource] = []
        self.places: list[str] = []
        self._names: dict[str, str] = {}
        self._stage = _CALLS
        self._readers: Mapping[str, Callable[..., None]] = {
            "message": self._message,
            "reasoning": self._reasoning,
            "function_call": self._function_call,
            "function_call_output": self._output,
            "custom_tool_call": self._custom_tool_call,
            "custom_tool_call_output": self._output,
        }

    def item(self, item: types.InputItem, where: str) -> None:
        """Add an item; one without a type is a message."""
        self._readers[item.get("type") or "message"](item, where)

    def message(self, message: JsonObject, where: str) -> None:
        """Add a whole message."""
        self.messages.append(message)
        self.places.append(where)

    def _message(self, item: types.EasyInputMessage, where: str) -> None:
        content = self._content(item["content"], f"{where}.content")
        if item["role"] == "assistant":
            self._assistant(_TEXT, where)["content"] = content
        else:
            self.message({"role": item["role"], "content": content}, where)

    def _reasoning(self, item: types.InputReasoningItem, where: str) -> None:
        if thoughts := _thoughts(item, where):
            message = self._assistant(_THOUGHTS, where)
            message["reasoning_content"] = "\n".join(filter(None, (message.get("reasoning_content"), thoughts)))

    def _function_call(self, item: types.FunctionToolCall, where: str) -> None:
        function = {"name": item["name"], "arguments": item["arguments"]}
        self._call({"id": item["call_id"], "type": "function", "function": function}, where)

    def _custom_tool_call(self, item: types.CustomToolCall, where: str) -> None:
        custom: types.ChatCompletionMessageCustomToolCallCustom = {"name": item["name"], "input": item["input"]}
        self._call(function_call({"id": item["call_id"], "type": "custom", "custom": custom}), where)

    def _call(self, call: JsonObject, where: str) -> None:
        self._names[call["id"]] = call["function"]["name"]
        self._assistant(_CALLS, where).setdefault("tool_calls", []).append(call)

    def _output(self, item: types.FunctionCallOutputItemParam | types.CustomToolCallOutput, where: str) -> None:
        content = self._content(item["output"], f"{where}.output")
        message = {"role": "tool", "content": content, "tool_call_id": item["call_id"]}
        name = self._names.get(item["call_id"]) or item.get("name")
        self.message({**message, "name": name} if name else message, where)

    def _assistant(self, stage: int, where: str) -> JsonObject:
        """The assistant's message that this goes on with; a new one where the last is another's, or is past that."""
        is_open = bool(self.messages) and self.messages[-1]["role"] == "assistant"
        if not is_open or self._stage > stage or self._stage == stage == _TEXT:
            self.message({"role": "assistant", "content": ""}, where)
        self._stage = stage
        return self.messages[-1]

    def _content(self, content: str | Sequence[Part], where: str) -> str | list[JsonObject]:
        if isinstance(content, str):
            return content
        return [self._part(part, f"{where}[{number}]") for number, part in enumerate(content)] or ""

    def _part(self, part: Part, where: str) -> JsonObject:
        match part["type"]:
            case "input_text" | "output_text":
                return {"type": "text", "text": part["text"]}
            case "refusal":
                return {"type": "text", "text": part["refusal"]}
            case "input_image":
                self.media.append(_picture(part, where))
                return {"type": "image"}
        raise InvalidParameter(f"{where}: files are not read", where, code=UNSUPPORTED_PARAMETER)


def _picture(part: types.InputImageContent, where: str) -> MediaSource:
    url = part.get("image_url")
    if not url:
        raise InvalidParameter(f"{where}.image_url: expected a data: URL or an http(s) one", f"{where}.image_url")
    return picture_at(url, where, LOW_DETAIL_PIXELS if part.get("detail") == "low" else None)


def _thoughts(item: types.InputReasoningItem, where: str) -> str:
    """The thinking itself, where it came along; else the nearest to it."""
    if content := item.get("content"):
        return "".join(part["text"] for part in content)
    sealed_text = item.get("encrypted_content")
    if sealed_text is None:
        return "\n\n".join(part["text"] for part in item["summary"])
    thoughts = unsealed(sealed_text)
    if thoughts is None:
        place = f"{where}.encrypted_content"
        raise InvalidParameter(f"{place}: expected what an answer of this server had by this name", place)
    return thoughts
