"""The form of Apertus: `<|tools_prefix|>`, an array of objects whose only member is the function's name with its arguments,
`<|tools_suffix|>`.
"""

from engine.chat.reader.answer import Answer
from engine.chat.reader.source import Reading
from engine.chat.tool_formats.json_call import read_string
from engine.chat.tool_formats.json_list import JsonListFormat, read_object
from engine.chat.tool_formats.spelling import CallSpelling

OPEN = "<|tools_prefix|>"


class _NameAsKey:
    """Such an object."""

    def read(self, answer: Answer) -> Reading[None]:
        """Raises Unreadable if it is none."""
        source = answer.source
        yield from source.expect("{")
        yield from source.white_space()
        answer.begin_call((yield from read_string(source)))
        yield from source.white_space()
        yield from source.expect(":")
        yield from read_object(answer)
        yield from source.white_space()
        yield from source.expect_or_end("}")


APERTUS = JsonListFormat((OPEN,), "<|tools_suffix|>", _NameAsKey(), CallSpelling("{{name}: {arguments}}"))
