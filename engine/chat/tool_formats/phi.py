"""The form of Phi-4-mini: `<|tool_call|>`, an array of objects, `<|/tool_call|>`. Some of its users teach it `functools[...]` instead,
which is read, too.
"""

from engine.chat.tool_formats.json_list import JsonListFormat

TOOLS = "<|tool|>"
"""What its template puts in front of the tools; of calls it shows nothing."""

PHI = JsonListFormat(("<|tool_call|>",), "<|/tool_call|>", loose_openings=("functools[",))
