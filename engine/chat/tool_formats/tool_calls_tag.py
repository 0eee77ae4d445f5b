"""Calls between `<tool_calls>` and `</tool_calls>`: an array of objects for Apriel, an object on each line for MiniMax-M1."""

from engine.chat.tool_formats.json_list import JsonListFormat
from engine.chat.tool_formats.spelling import CallSpelling

OPEN = "<tool_calls>"
_CLOSE = "</tool_calls>"

APRIEL = JsonListFormat((OPEN,), _CLOSE)
MINIMAX_M1 = JsonListFormat((OPEN,), _CLOSE, written=CallSpelling(opening="\n", separator="\n", closing="\n"))
