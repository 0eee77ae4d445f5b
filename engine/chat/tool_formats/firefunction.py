"""The form of firefunction: `functools` and an array of objects, up to the answer's end."""

from engine.chat.tool_formats.json_list import JsonListFormat
from engine.chat.tool_formats.spelling import CallSpelling

OPEN = "functools["

FIREFUNCTION = JsonListFormat((OPEN,), written=CallSpelling(opening=""))
