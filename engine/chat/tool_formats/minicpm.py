"""The form of MiniCPM5: `<function name="NAME">` with `<param name="KEY">`, in which a string that holds tags stands as CDATA.

Owns that form's tags. Must not know how tags are read.
"""

from engine.chat.tool_formats.tagged import TaggedFormat
from engine.chat.tool_formats.tags import Tags, ValueTag

_TAGS = Tags(
    call='<function name="',
    name_end='">',
    key='<param name="',
    key_end='">',
    values=(ValueTag("", "</param>", texts="[^<&\\n]*"), ValueTag("<![CDATA[", "]]></param>", is_text=True)),
    call_end="</function>",
    separator="",
)


def minicpm_format() -> TaggedFormat:
    """The form as a whole."""
    return TaggedFormat(_TAGS)
