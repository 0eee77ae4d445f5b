"""The Hermes form, which Qwen took up: `<tool_call>`, a JSON object with `name` and `arguments`, `</tool_call>`.

Owns that form and how far it may be bent: several objects in one block, a missing end marker, `parameters` for `arguments`, arguments
as JSON text in a string, raw line breaks in strings. A call counts once its object is complete. Must not know what surrounds a block.
"""

import json

import msgspec

from engine.chat.json_text import JsonObjectScanner, NotJson
from engine.chat.tool_formats.block import BlockOutput, CallBlock, FunctionCall

OPEN = "<tool_call>"
CLOSE = "</tool_call>"
_WHITE_SPACE = " \t\r\n"
_ABSENT = msgspec.Raw(b"null")


class HermesFormat:
    """The form as a whole."""

    markers = (OPEN,)
    closing_marks = (CLOSE,)
    separator = "\n"

    def around(self, name: str) -> tuple[str, str]:
        """The object up to its arguments, and its end."""
        return f'{OPEN}\n{{"name": {json.dumps(name, ensure_ascii=False)}, "arguments": ', f"}}\n{CLOSE}"

    def open(self, marker: str) -> CallBlock:
        """A reader from just after `<tool_call>`."""
        return _Block()


class _Block:
    """One block: objects with white space around them, then the end marker. `_unread` is the text that no call has used up."""

    def __init__(self) -> None:
        self._unread = ""
        self._scanner: JsonObjectScanner | None = None
        self._scanned = 0
        self._any_call = False
        self._rest: str | None = None

    def feed(self, text: str) -> BlockOutput:
        """Reads on, through any number of objects."""
        self._unread += text
        calls: list[FunctionCall] = []
        while self._at_object() and (call := self._read_object()):
            calls.append(call)
        return BlockOutput(tuple(calls), ended=self._rest is not None, rest=self._rest or "")

    def finish(self) -> BlockOutput:
        """What is left is a cut object, which is content; after a call, also white space or a cut end marker, which is not."""
        cut_marker = self._any_call and CLOSE.startswith(self._unread.strip(_WHITE_SPACE))
        return BlockOutput(ended=True, rest="" if cut_marker else self._unread)

    def _at_object(self) -> bool:
        """Whether an object is being read, or begins here. Ends the block at anything else but white space."""
        if self._scanner is not None:
            return True
        following = self._unread.lstrip(_WHITE_SPACE)
        if following.startswith("{"):
            self._scanner = JsonObjectScanner()
            self._scanned = len(self._unread) - len(following)
            return True
        if following.startswith(CLOSE) and self._any_call:
            self._rest = following.removeprefix(CLOSE)
        elif following.startswith(CLOSE) or not CLOSE.startswith(following):
            self._rest = self._unread
        return False

    def _read_object(self) -> FunctionCall | None:
        """The call that the text completes, if any. Ends the block where there can be none."""
        assert self._scanner is not None
        try:
            length = self._scanner.feed(self._unread[self._scanned :])
        except NotJson:
            self._rest = self._unread
            return None
        if length is None:
            self._scanned = len(self._unread)
            return None
        return self._complete(self._scanned + length)

    def _complete(self, end: int) -> FunctionCall | None:
        call = read_call(self._unread[:end])
        if call is None:
            self._rest = self._unread
            return None
        self._unread = self._unread[end:]
        self._scanner = None
        self._any_call = True
        return call


class _Fields(msgspec.Struct):
    name: str
    arguments: msgspec.Raw = _ABSENT
    parameters: msgspec.Raw = _ABSENT


def read_call(text: str) -> FunctionCall | None:
    """The call that a JSON object describes; None if it describes none. Arguments stay in the model's own spelling."""
    try:
        fields = _read_fields(text)
        arguments = _read_arguments(fields.arguments if fields.arguments != _ABSENT else fields.parameters)
    except ValueError:
        return None
    return FunctionCall(fields.name, arguments) if fields.name else None


def _read_fields(text: str) -> _Fields:
    try:
        return msgspec.json.decode(text, type=_Fields)
    except msgspec.DecodeError:
        respelled = json.dumps(json.loads(text, strict=False), allow_nan=False)
        return msgspec.json.decode(respelled, type=_Fields)


def _read_arguments(raw: msgspec.Raw) -> str:
    """JSON text of an object, which may itself be the content of a JSON string. Raises ValueError for any other value."""
    if raw == _ABSENT:
        return "{}"
    text = bytes(raw).decode()
    if text.startswith('"'):
        text = msgspec.json.decode(text, type=str)
    msgspec.json.decode(text, type=dict)
    return text
