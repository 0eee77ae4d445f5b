"""The form of Seed-OSS: `<function=NAME>` with `<parameter=KEY>`, within `<seed:tool_call>`.

Owns that form's tags. All text between a value's tags belongs to it. Must not know how tags are read.
"""

from engine.chat.tool_formats.tagged import TaggedFormat
from engine.chat.tool_formats.tags import Tags, ValueTag

OPEN = "<seed:tool_call>"
CLOSE = "</seed:tool_call>"

_TAGS = Tags(
    call="<function=",
    name_end=">",
    key="<parameter=",
    key_end=">",
    values=(ValueTag("", "</parameter>"),),
    call_end="</function>",
    other_ends=(CLOSE,),
)


def seed_format() -> TaggedFormat:
    """The form as a whole."""
    return TaggedFormat(_TAGS, block_opening=OPEN, block_closing=CLOSE)
