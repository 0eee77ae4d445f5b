"""The form of DeepSeek V3.2 and V4, DSML: tags with a token of their own in the name, and in each argument's whether its value is a string.

Owns that form's tags; the two generations name the block differently. Must not know how tags are read.
"""

from engine.chat.tool_formats.tagged import TaggedFormat
from engine.chat.tool_formats.tags import Tags, ValueTag

MARK = "\uff5cDSML\uff5c"
V32_BLOCK = "function_calls"
V4_BLOCK = "tool_calls"


def dsml_format(block: str) -> TaggedFormat:
    """The form as a whole; `block`: the name of the tag around all calls."""
    opening, closing = (f"<{slash}{MARK}{block}>" for slash in ("", "/"))
    end = f"</{MARK}parameter>"
    tags = Tags(
        call=f'<{MARK}invoke name="',
        name_end='">',
        key=f'<{MARK}parameter name="',
        key_end='"',
        before_value=" ",
        values=(ValueTag('string="true">', end, is_text=True), ValueTag('string="false">', end, is_text=False)),
        call_end=f"</{MARK}invoke>",
        other_ends=(closing,),
    )
    return TaggedFormat(tags, block_opening=opening, block_closing=closing, is_shared=True, tokens=(MARK,))
