"""The form of GLM-4.5 to 4.7, which Ling, Laguna and Spark share: `<tool_call>NAME`, then `<arg_key>` and `<arg_value>` in turns.

Owns that form's tags; whether line breaks stand between them differs from one model to the next. Must not know how tags are read.
"""

from engine.chat.tool_formats.tagged import TaggedFormat
from engine.chat.tool_formats.tags import Tags, ValueTag

_TAGS = Tags(
    call="<tool_call>",
    name_end="",
    key="<arg_key>",
    key_end="</arg_key>",
    before_value="\n",
    values=(ValueTag("<arg_value>", "</arg_value>"),),
    call_end="</tool_call>",
    may_omit_separator=True,
)


def glm_format() -> TaggedFormat:
    """The form as a whole."""
    return TaggedFormat(_TAGS)
