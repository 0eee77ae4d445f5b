"""The calls of gpt-oss: messages to `functions.NAME`, whose text is the arguments' JSON. Its messages stand on channels: thinking on
`analysis`, calls and what introduces them on `commentary`, else `final`.

Owns what a message's header says, and what holds a call to a schema. Must not know how messages follow one another.
"""

import re

from engine.chat.grammars.lark import SPACED, Lark
from engine.chat.reader.answer import Answer
from engine.chat.reader.source import Reading, Unreadable
from engine.chat.tool_formats.form import CallableTool, written_arguments
from engine.chat.tool_formats.message_form import MESSAGE, RECIPIENT, START, Header, MessageFormat

CHANNEL, CONSTRAIN = "<|channel|>", "<|constrain|>"
_CLOSINGS = ("<|end|>", "<|call|>", "<|return|>")

_CHANNEL = re.compile(re.escape(CHANNEL) + r"\s*(\w*)")
_RECIPIENT = re.compile(rf"\b{RECIPIENT}([^\s<]+)")
_NAMESPACE = "functions."


class HarmonyFormat(MessageFormat):
    """The calls as a form."""

    openings = (f"{CHANNEL}commentary {RECIPIENT}{_NAMESPACE}",)
    openings_at_start = ()
    loose_openings = ()
    marks = (START, CHANNEL, CONSTRAIN, MESSAGE, *_CLOSINGS)
    header_starts = (START, CHANNEL, MESSAGE, CONSTRAIN, RECIPIENT)
    beginnings = (START, CHANNEL)
    closings = _CLOSINGS
    thought = f"{CHANNEL}analysis{MESSAGE}"
    words = f"{CHANNEL}commentary{MESSAGE}"
    final = f"{CHANNEL}final{MESSAGE}"
    json_finals = (final, f"{CHANNEL}final {CONSTRAIN}json{MESSAGE}")

    def header(self, text: str) -> Header:
        """The function's name as it was offered."""
        channels, recipients = _CHANNEL.findall(text), _RECIPIENT.findall(text)
        recipient = recipients[-1] if recipients else ""
        is_call = recipient.startswith(_NAMESPACE)
        function = "" if recipient in ("assistant", "user") else recipient.removeprefix(_NAMESPACE)
        return Header(channels[-1:] == ["analysis"] and not is_call, function, is_call)

    def read(self, opening: str, answer: Answer) -> Reading[None]:
        """One call from behind its header, which is `opening`."""
        source = answer.source
        answer.begin_call(self.header(opening).function)
        yield from source.white_space()
        following = yield from source.peek()
        if following in ("", "<"):
            if source.is_cut:
                raise Unreadable("it is cut")
            answer.arguments("{}")
        else:
            yield from source.json(answer.arguments)
        answer.end_call()

    def rules(self, opening: str, tools: tuple[CallableTool, ...], lark: Lark, *, in_parallel: bool) -> str:
        """One call: the mark behind it is the answer's end."""
        return lark.rule("call", " | ".join(_call(tool, lark) for tool in tools))


def _call(tool: CallableTool, lark: Lark) -> str:
    arguments = written_arguments(tool, lark, spacing=SPACED)
    return f"{lark.text(tool.name)} {lark.text(f' {CONSTRAIN}json{MESSAGE}')} {arguments}"
