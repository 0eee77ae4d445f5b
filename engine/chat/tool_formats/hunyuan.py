"""The form of Hunyuan 3: as GLM's, with a mark behind the function's name, all calls within `<tool_calls>`, and a suffix in each tag.

Owns that form's tags. Must not know how tags are read.
"""

from engine.chat.tool_formats.tagged import TaggedFormat
from engine.chat.tool_formats.tags import Tags, ValueTag

SUFFIX = ":opensource"


def hunyuan_format() -> TaggedFormat:
    """The form as a whole."""
    opening, closing = (f"<{slash}tool_calls{SUFFIX}>" for slash in ("", "/"))
    tags = Tags(
        call=f"<tool_call{SUFFIX}>",
        name_end=f"<tool_sep{SUFFIX}>",
        key=f"<arg_key{SUFFIX}>",
        key_end=f"</arg_key{SUFFIX}>",
        before_value="\n",
        values=(ValueTag(f"<arg_value{SUFFIX}>", f"</arg_value{SUFFIX}>"),),
        call_end=f"</tool_call{SUFFIX}>",
        other_ends=(closing,),
    )
    return TaggedFormat(tags, block_opening=opening, block_closing=closing, is_shared=True)
