"""The form of Nemotron Nano 2: `<TOOLCALL>`, an array of objects, `</TOOLCALL>`. Nano 3 writes Qwen3-Coder's form."""

from engine.chat.tool_formats.json_list import JsonListFormat

OPEN = "<TOOLCALL>"

NEMOTRON = JsonListFormat((OPEN,), "</TOOLCALL>")
