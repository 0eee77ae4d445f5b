"""The form of Granite 3: `<|tool_call|>` and an array of objects, up to the answer's end. Granite 4 writes Hermes' form."""

from engine.chat.tool_formats.json_list import JsonListFormat

OPEN = "<|tool_call|>"

GRANITE = JsonListFormat((OPEN,))
