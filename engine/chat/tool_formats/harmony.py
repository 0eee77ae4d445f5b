"""The calls of gpt-oss: messages to `functions.NAME`, whose text is the arguments' JSON.

Owns how such a message's header names its function, and what holds one to a schema. Must not know the messages around it:
`engine/chat/answers/harmony.py` reads those.
"""

import re
from dataclasses import dataclass

from engine.chat.grammars.lark import SPACED, Lark
from engine.chat.reader.answer import Answer
from engine.chat.reader.source import Reading, Unreadable
from engine.chat.tool_formats.form import CallableTool, written_arguments

START, CHANNEL, CONSTRAIN, MESSAGE = "<|start|>", "<|channel|>", "<|constrain|>", "<|message|>"
END, CALL, RETURN = "<|end|>", "<|call|>", "<|return|>"
ENDS = (END, CALL, RETURN, START, CHANNEL)
"""Where a message's text ends; the last two begin another one."""

_CHANNEL = re.compile(re.escape(CHANNEL) + r"\s*(\w*)")
_RECIPIENT = re.compile(r"\bto=([^\s<]+)")
_NAMESPACE = "functions."


@dataclass(frozen=True)
class Header:
    """What a message's header says: its channel, and to whom it goes, if not to the reader."""

    channel: str
    recipient: str

    @classmethod
    def of(cls, text: str) -> "Header":
        """The header up to its end mark; of what stands in it twice the last counts."""
        channels, recipients = _CHANNEL.findall(text), _RECIPIENT.findall(text)
        recipient = recipients[-1] if recipients else ""
        return cls(channels[-1] if channels else "", "" if recipient in ("assistant", "user") else recipient)

    @property
    def function(self) -> str:
        """The function's name as it was offered."""
        return self.recipient.removeprefix(_NAMESPACE)

    @property
    def is_call(self) -> bool:
        """Whether it goes to a function that was offered, as the model sees them."""
        return self.recipient.startswith(_NAMESPACE)


class HarmonyFormat:
    """The calls as a form."""

    openings = (f"{CHANNEL}commentary to={_NAMESPACE}",)
    openings_at_start = ()
    loose_openings = ()
    marks = (START, CHANNEL, CONSTRAIN, MESSAGE, END, CALL, RETURN)

    def read(self, opening: str, answer: Answer) -> Reading[None]:
        """One call from behind its header, which is `opening`."""
        source = answer.source
        answer.begin_call(Header.of(opening).function)
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
