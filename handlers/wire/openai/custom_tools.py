"""Custom tools, which take text instead of JSON: offered as functions of one text, and their calls written back as what they are.

Owns the difference between the two. Must not know how tools are offered, nor how answers are rendered otherwise.
"""

import json
import re
from collections.abc import Iterable, Iterator

from engine import GrammarConstraint, JsonObject, RegexConstraint
from handlers.wire.types.openai import (
    ChatCompletionMessageCustomToolCall,
    ChatCompletionTool,
    CreateChatCompletionRequest,
    CustomToolChatCompletions,
    FunctionObject,
)

_OPENING = re.compile(r'\s*\{\s*"input"\s*:\s*"')
_CLOSED_OPENING = '{"input":"'
_READABLE = re.compile(
    r"""(?: [^"\\] | \\[^u]
    | \\u(?![dD][89abAB])[0-9a-fA-F]{4}
    | \\u[dD][89abAB][0-9a-fA-F]{2} (?: \\u[dD][c-fC-F][0-9a-fA-F]{2} | (?=[^\\]|\\[^u]|\\u(?![dD][c-fC-F])[0-9a-fA-F]{4}) )
    )*""",
    re.VERBOSE | re.DOTALL,
)
"""As much of a JSON string's inside as surely stands for characters: of a pair of surrogates not just the first."""


def custom_names(body: CreateChatCompletionRequest) -> frozenset[str]:
    """The names of the custom tools that a request offers."""
    return frozenset(tool["custom"]["name"] for tool in body.get("tools") or () if tool["type"] == "custom")


def as_function(tool: CustomToolChatCompletions) -> ChatCompletionTool:
    """The function to offer in its place. What the input must be like is told, so that the model knows."""
    custom = tool["custom"]
    function: FunctionObject = {
        "name": custom["name"],
        "parameters": {
            "type": "object",
            "properties": {"input": {"type": "string", **_described(tool)}},
            "required": ["input"],
            "additionalProperties": False,
        },
    }
    if custom.get("description"):
        function["description"] = custom["description"]
    return {"type": "function", "function": function}


def input_constraint(tool: CustomToolChatCompletions) -> GrammarConstraint | RegexConstraint | None:
    """What the tool's input is held to; None: it is any text."""
    form = tool["custom"].get("format")
    if form is None or form["type"] == "text":
        return None
    grammar = form["grammar"]
    if grammar["syntax"] == "regex":
        return RegexConstraint(regex=grammar["definition"])
    return GrammarConstraint(grammar=grammar["definition"])


def function_call(call: ChatCompletionMessageCustomToolCall) -> JsonObject:
    """A call in a conversation's history, as one of the function that stands for the tool."""
    custom = call["custom"]
    return {
        "id": call["id"],
        "type": "function",
        "function": {"name": custom["name"], "arguments": {"input": custom["input"]}},
    }


class CustomCalls:
    """Rewrites the calls of custom tools, which are those of `names`, in rendered choices."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        self._open: dict[tuple[int, int], InputReader] = {}

    def in_message(self, choices: Iterable[JsonObject]) -> list[JsonObject]:
        """Whole choices with these calls written as calls of custom tools."""
        return [self._whole(choice) for choice in choices]

    def in_chunk(self, choices: Iterable[JsonObject]) -> list[JsonObject]:
        """The choices of a chunk; none where one only brought what is not part of an input."""
        return [new for choice in choices for new in self._piece(choice)]

    def _whole(self, choice: JsonObject) -> JsonObject:
        calls = choice["message"].get("tool_calls")
        if not calls:
            return choice
        rewritten = [self._call(call) if call["function"]["name"] in self._names else call for call in calls]
        return {**choice, "message": {**choice["message"], "tool_calls": rewritten}}

    @staticmethod
    def _call(call: JsonObject) -> JsonObject:
        reader = InputReader()
        text = reader.feed(call["function"]["arguments"]) + reader.rest()
        return {"id": call["id"], "type": "custom", "custom": {"name": call["function"]["name"], "input": text}}

    def _piece(self, choice: JsonObject) -> Iterator[JsonObject]:
        if choice["finish_reason"] is not None:
            yield from self._left_over(choice)
        calls = choice["delta"].get("tool_calls")
        call = calls[0] if calls else None
        if call and call["function"].get("name") in self._names:
            self._open[choice["index"], call["index"]] = InputReader()
        reader = self._open.get((choice["index"], call["index"])) if call else None
        if call is None or reader is None:
            yield choice
            return
        text, name = reader.feed(call["function"]["arguments"]), call["function"].get("name")
        if name is not None:
            opening = {"index": call["index"], "id": call["id"], "type": "custom"}
            yield _with_call(choice, {**opening, "custom": {"name": name, "input": text}})
        elif text:
            yield _with_call(choice, {"index": call["index"], "custom": {"input": text}})

    def _left_over(self, choice: JsonObject) -> Iterator[JsonObject]:
        """What of its calls was no input in JSON, before a choice ends."""
        for (index, number), reader in self._open.items():
            if index == choice["index"] and (text := reader.rest()):
                unfinished = {**choice, "delta": {}, "finish_reason": None}
                yield _with_call(unfinished, {"index": number, "custom": {"input": text}})


def _with_call(choice: JsonObject, call: JsonObject) -> JsonObject:
    return {**choice, "delta": {**choice["delta"], "tool_calls": [call]}}


def _described(tool: CustomToolChatCompletions) -> JsonObject:
    match input_constraint(tool):
        case RegexConstraint(regex=regex):
            return {"description": f"A text that this regular expression matches: {regex}"}
        case GrammarConstraint(grammar=grammar):
            return {"description": f"A text of this Lark grammar:\n{grammar}"}
    return {}


class InputReader:
    """Reads the one member `input` of a JSON object while it is written. Other JSON, which only a model that nothing holds could write, is
    the input as it stands."""

    def __init__(self) -> None:
        self._unread = ""
        self._is_open = False
        self._is_over = False

    def feed(self, arguments: str) -> str:
        """The further characters of the input that this piece makes certain."""
        self._unread += arguments
        if not self._is_open and (opening := _OPENING.match(self._unread)):
            self._is_open, self._unread = True, self._unread[opening.end() :]
        if not self._is_open or self._is_over:
            return ""
        readable = _READABLE.match(self._unread)
        assert readable is not None  # it may be empty
        self._unread = self._unread[readable.end() :]
        self._is_over = self._unread.startswith('"')
        text = json.loads(f'"{readable.group()}"', strict=False)
        return str(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))

    def rest(self) -> str:
        """All of it, once, where it is no JSON with an input, or begins it."""
        unread, self._unread = self._unread, ""
        if self._is_open or _CLOSED_OPENING.startswith(re.sub(r"\s", "", unread)):
            return ""
        return unread
