"""The Hermes form, which Qwen took up: `<tool_call>`, a JSON object with `name` and `arguments`, `</tool_call>`.

Owns that form and how far it may be bent: several objects in one block, a missing end mark. Must not know what surrounds a block.
"""

import json

from engine.chat.grammars.lark import SPACED, Lark
from engine.chat.reader.answer import Answer
from engine.chat.reader.source import Reading
from engine.chat.tool_formats.form import CallableTool, written_arguments
from engine.chat.tool_formats.json_call import JsonCall

OPEN = "<tool_call>"
CLOSE = "</tool_call>"
_AGAIN, _END = f"\n{OPEN}", f"}}\n{CLOSE}"
_CALL = JsonCall()


class HermesFormat:
    """The form as a whole."""

    openings = (OPEN,)
    openings_at_start = ()
    loose_openings: tuple[str, ...] = ()
    marks = (CLOSE,)

    def read(self, opening: str, answer: Answer) -> Reading[None]:
        """Objects with white space around them, then the end mark."""
        yield from answer.source.white_space()
        yield from _CALL.read(answer)
        yield from answer.source.white_space()
        while (yield from answer.source.peek()) == "{":
            yield from _CALL.read(answer)
            yield from answer.source.white_space()
        yield from answer.source.expect_or_end(CLOSE)

    def rules(self, opening: str, tools: tuple[CallableTool, ...], lark: Lark, *, in_parallel: bool) -> str:
        """One object in each block."""
        call = lark.rule("call", " | ".join(_call(tool, lark) for tool in tools))
        return f"{call} ({lark.text(_AGAIN)} {call})*" if in_parallel else call


def _call(tool: CallableTool, lark: Lark) -> str:
    start = f'\n{{"name": {json.dumps(tool.name, ensure_ascii=False)}, "arguments": '
    return f"{lark.text(start)} {written_arguments(tool, lark, spacing=SPACED)} {lark.text(_END)}"
