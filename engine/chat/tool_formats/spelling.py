"""How a model spells calls, written down once for the grammar of a form.

Owns the places in such a text and what may stand in them. Must not know any form, nor how one is read.
"""

import json
import re
from dataclasses import dataclass

from engine.chat.grammars.lark import SPACED, Lark
from engine.chat.tool_formats.form import CallableTool, written_arguments

_PLACE = re.compile(r"\{(name|plain_name|id|plain_id|arguments)\}")


@dataclass(frozen=True)
class CallSpelling:
    """A call, and what stands around and between calls. Its places: `{name}`, a JSON string, or `{plain_name}`; `{arguments}`; `{id}`, a
    JSON string, or `{plain_id}`, which the model makes up as `id_regex` says. `is_alone`: one call is all that the model can be shown."""

    call: str = '{"name": {name}, "arguments": {arguments}}'
    opening: str = "["
    separator: str = ", "
    closing: str = "]"
    id_regex: str = "[a-zA-Z0-9]{9}"
    is_alone: bool = False

    def rules(self, tools: tuple[CallableTool, ...], lark: Lark, *, in_parallel: bool) -> str:
        """The calls, as Lark items."""
        call = lark.rule("call", " | ".join(self._call(tool, lark) for tool in tools))
        further = f"({lark.text(self.separator)} {call})*" if in_parallel and not self.is_alone else ""
        return " ".join(filter(None, (lark.text(self.opening), call, further, lark.text(self.closing))))

    def _call(self, tool: CallableTool, lark: Lark) -> str:
        texts_and_places = _PLACE.split(self.call)
        texts = (lark.text(text) for text in texts_and_places[::2])
        places = [self._place(place, tool, lark) for place in texts_and_places[1::2]]
        return " ".join(item for pair in zip(texts, [*places, ""], strict=True) for item in pair if item)

    def _place(self, place: str, tool: CallableTool, lark: Lark) -> str:
        match place:
            case "name":
                return lark.text(json.dumps(tool.name, ensure_ascii=False))
            case "plain_name":
                return lark.text(tool.name)
            case "id":
                return lark.regex(f'"{self.id_regex}"')
            case "plain_id":
                return lark.regex(self.id_regex)
            case _:
                return written_arguments(tool, lark, spacing=SPACED)
