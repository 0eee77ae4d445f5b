"""The forms of Mistral's models: `[TOOL_CALLS]`, then an array of objects with ids of nine characters (up to Nemo and Small 3.1), or for
each call its function's name, `[ARGS]` and its arguments (Devstral, Magistral, Ministral 3), for some with `[CALL_ID]` and an id between
(Small 3.2).

Owns these forms; either is read from any of these models, and the one that the template shows is written. Must not know thinking.
"""

from dataclasses import dataclass, replace
from uuid import uuid4

from engine.chat.grammars.lark import Lark
from engine.chat.reader.answer import Answer
from engine.chat.reader.source import Reading
from engine.chat.tool_formats.form import CallableTool
from engine.chat.tool_formats.json_call import JsonCall
from engine.chat.tool_formats.json_list import read_json_list, read_object
from engine.chat.tool_formats.plain_name import read_plain_name
from engine.chat.tool_formats.spelling import CallSpelling

OPEN = "[TOOL_CALLS]"
ARGS = "[ARGS]"
CALL_ID = "[CALL_ID]"
_ID_CHARACTERS = 9
_ID_REGEX = f"[a-zA-Z0-9]{{{_ID_CHARACTERS}}}"


def _new_id() -> str:
    """As the templates insist that ids are in their history."""
    return uuid4().hex[:_ID_CHARACTERS]


_CALL = JsonCall(ids=("id", "call_id"), new_id=_new_id)
_LIST = CallSpelling('{"name": {name}, "arguments": {arguments}, "id": {id}}', id_regex=_ID_REGEX)
_NAMED = CallSpelling(f"{{plain_name}}{ARGS}{{arguments}}", opening="", separator=OPEN, closing="")
_NAMED_WITH_IDS = replace(_NAMED, call=f"{{plain_name}}{CALL_ID}{{plain_id}}{ARGS}{{arguments}}", id_regex=_ID_REGEX)


@dataclass(frozen=True)
class MistralFormat:
    """The forms as the template shows them: calls in an array, or each behind its name, `with_ids` or without."""

    in_array: bool = False
    with_ids: bool = False

    openings = (OPEN,)
    openings_at_start = ()
    loose_openings = ()
    marks = (ARGS, CALL_ID)

    def read(self, opening: str, answer: Answer) -> Reading[None]:
        """An array, or one call."""
        source = answer.source
        yield from source.white_space()
        if (yield from source.peek()) in ("[", "{"):
            yield from read_json_list(answer, _CALL)
            return
        name, mark = yield from read_plain_name(source, ARGS, CALL_ID, no_name=("\n", OPEN))
        call_id = (yield from source.text_until(ARGS)) if mark == CALL_ID else None
        answer.begin_call(name, call_id or _new_id())
        yield from read_object(answer)

    def rules(self, opening: str, tools: tuple[CallableTool, ...], lark: Lark, *, in_parallel: bool) -> str:
        """An array, or the calls one after the other."""
        spelling = _LIST if self.in_array else _NAMED_WITH_IDS if self.with_ids else _NAMED
        return spelling.rules(tools, lark, in_parallel=in_parallel)
