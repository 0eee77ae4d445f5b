"""The form of Kimi K3: tags made of three marks, numbered calls, and in each argument's tag the JSON type of its value.

Owns that form's tags. Must not know how tags are read.
"""

from engine.chat.tool_formats.tagged import TaggedFormat
from engine.chat.tool_formats.tags import Tags, ValueTag

OPEN, CLOSE, END = "<|open|>", "<|close|>", "<|sep|>"
_VALUE_END = f"{CLOSE}argument{END}"
_JSON_TYPES = {
    "number": {"number", "integer"},
    "boolean": {"boolean"},
    "null": {"null"},
    "object": {"object"},
    "array": {"array"},
}

_TAGS = Tags(
    call=f'{OPEN}call tool="',
    name_end='"',
    number=(' index="', f'"{END}'),
    key=f'{OPEN}argument key="',
    key_end='"',
    before_value=" ",
    values=(
        ValueTag(f'type="string"{END}', _VALUE_END, is_text=True),
        *(
            ValueTag(f'type="{name}"{END}', _VALUE_END, is_text=False, json_types=frozenset(types))
            for name, types in _JSON_TYPES.items()
        ),
    ),
    call_end=f"{CLOSE}call{END}",
    separator="",
    other_ends=(f"{CLOSE}tools{END}",),
)


def kimi_k3_format() -> TaggedFormat:
    """The form as a whole."""
    return TaggedFormat(
        _TAGS,
        block_opening=f"{OPEN}tools{END}",
        block_closing=f"{CLOSE}tools{END}",
        is_shared=True,
        tokens=(OPEN, CLOSE, END),
    )
