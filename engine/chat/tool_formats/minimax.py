"""The form of MiniMax-M2: `<invoke name="NAME">` with `<parameter name="KEY">`, all calls within one `<minimax:tool_call>`.

Owns that form's tags. Must not know how tags are read.
"""

from engine.chat.tool_formats.tagged import TaggedFormat
from engine.chat.tool_formats.tags import Tags, ValueTag

OPEN = "<minimax:tool_call>"
CLOSE = "</minimax:tool_call>"

_TAGS = Tags(
    call='<invoke name="',
    name_end='">',
    key='<parameter name="',
    key_end='">',
    values=(ValueTag("", "</parameter>"),),
    call_end="</invoke>",
    other_ends=(CLOSE,),
)


def minimax_format() -> TaggedFormat:
    """The form as a whole."""
    return TaggedFormat(_TAGS, block_opening=OPEN, block_closing=CLOSE, is_shared=True)
