"""The form of Qwen3-Coder, which Qwen3.5, Nemotron 3 and Step 3.5 took up: `<function=NAME>` with `<parameter=KEY>`, within `<tool_call>`.

Owns that form's tags. A line break stands on each side of a value and is no part of it. Must not know how tags are read.
"""

from engine.chat.tool_formats.tagged import TaggedFormat
from engine.chat.tool_formats.tags import Tags, ValueTag

OPEN = "<tool_call>"
CLOSE = "</tool_call>"

_TAGS = Tags(
    call="<function=",
    name_end=">",
    key="<parameter=",
    key_end=">",
    values=(ValueTag("", "</parameter>"),),
    call_end="</function>",
    frame="\n",
    other_ends=(CLOSE,),
)


def qwen_xml_format() -> TaggedFormat:
    """The form as a whole: some models leave out `<tool_call>`."""
    return TaggedFormat(_TAGS, block_opening=OPEN, block_closing=CLOSE, takes_bare=True)
