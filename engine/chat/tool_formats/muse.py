"""The calls of Muse Glimmer: messages to a function, whose text is a block of tags. Thoughts go to `self`, what readers get to `user`.

Owns those tags and what a message's header says. Must not know how tags are read, nor how messages follow one another.
"""

import re

from engine.chat.grammars.lark import Lark
from engine.chat.reader.answer import Answer
from engine.chat.reader.source import Reading
from engine.chat.tool_formats.form import CallableTool, FormCannotHold
from engine.chat.tool_formats.message_form import MESSAGE, NEXT, RECIPIENT, START, Header, MessageFormat
from engine.chat.tool_formats.tagged import TaggedFormat
from engine.chat.tool_formats.tagged_rules import tool_rule
from engine.chat.tool_formats.tags import Tags, ValueTag

OPEN = "<atem:function_calls>"
GOES_ON, ENDS = "<|eom|>", "<|eot|>"
_CLOSE = "</atem:function_calls>"
_CALL, _KEY = "<atem:invoke", "<atem:parameter"
_TAGS = Tags(
    call=f'{_CALL} name="',
    name_end='">',
    key=f'{_KEY} name="',
    key_end='">',
    values=(ValueTag("", "</atem:parameter>"),),
    call_end="</atem:invoke>",
    other_ends=(_CLOSE,),
)
_BLOCK = TaggedFormat(_TAGS, block_opening=OPEN, block_closing=_CLOSE, takes_bare=True, tokens=(_CALL, _KEY))
_RECIPIENT = re.compile(rf"\b{RECIPIENT}([^\s<]+)")
_SELF, _USER = "self", "user"


class MuseFormat(MessageFormat):
    """The calls as a form."""

    openings = (f" {RECIPIENT}",)
    openings_at_start = ()
    loose_openings = ()
    marks = (START, MESSAGE, GOES_ON, ENDS, OPEN, *_BLOCK.marks)
    header_starts = (START, MESSAGE, RECIPIENT)
    beginnings = (START,)
    closings = (GOES_ON, ENDS)
    thought = f" {RECIPIENT}{_SELF}{MESSAGE}"
    words = final = f" {RECIPIENT}{_USER}{MESSAGE}"
    json_finals = (final,)

    def header(self, text: str) -> Header:
        """Whoever is neither the model nor the user is a function."""
        recipient = (_RECIPIENT.findall(text) or [_USER])[-1]
        function = "" if recipient in (_SELF, _USER) else recipient
        return Header(recipient == _SELF, function, is_call=bool(function))

    def read(self, opening: str, answer: Answer) -> Reading[None]:
        """The calls of one message, which are named in their tags."""
        yield from answer.source.white_space()
        yield from _BLOCK.read((yield from answer.source.expect(*_BLOCK.openings)), answer)

    def rules(self, opening: str, tools: tuple[CallableTool, ...], lark: Lark, *, in_parallel: bool) -> str:
        """A message for each call."""
        call = lark.rule("call", " | ".join(_call(*numbered, lark) for numbered in enumerate(tools)))
        return f"{call} ({lark.text(GOES_ON + NEXT + opening)} {call})*" if in_parallel else call


def _call(number: int, tool: CallableTool, lark: Lark) -> str:
    """From behind the opening on."""
    if tool.name in (_SELF, _USER):
        raise FormCannotHold(f"this model's messages to {tool.name!r} are no calls")
    start = lark.text(f"{tool.name}{MESSAGE}{OPEN}\n{_TAGS.call}")
    return f"{start} {tool_rule(_TAGS, number, tool, lark)} {lark.text(chr(10) + _CLOSE)}"
