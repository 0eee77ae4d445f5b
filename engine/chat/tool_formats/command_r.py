"""The forms of Command R: `<|START_ACTION|>`, an array of objects with `tool_call_id`, `tool_name` and `parameters`, `<|END_ACTION|>`
(R7B, A and later); or `Action:` and a fenced array of objects without ids (R, R+).
"""

from engine.chat.tool_formats.json_call import JsonCall
from engine.chat.tool_formats.json_list import JsonListFormat
from engine.chat.tool_formats.spelling import CallSpelling

START_ACTION = "<|START_ACTION|>"
ACTION = "Action:"
_FENCE = "```"
_CALL = JsonCall(names=("tool_name", "name"), arguments=("parameters", "arguments"), ids=("tool_call_id", "id"))
_WITH_IDS = CallSpelling(
    '{"tool_call_id": {id}, "tool_name": {name}, "parameters": {arguments}}',
    opening="[\n    ",
    separator=",\n    ",
    closing="\n]",
    id_regex="[0-9]{1,4}",
)
_FENCED = CallSpelling(
    '{\n        "tool_name": {name},\n        "parameters": {arguments}\n    }',
    opening="\n[\n    ",
    separator=",\n    ",
    closing="\n]",
)

COMMAND_R7B = JsonListFormat((START_ACTION,), "<|END_ACTION|>", _CALL, _WITH_IDS)
COMMAND_R = JsonListFormat(
    (f"{ACTION}\n{_FENCE}json",),
    _FENCE,
    _CALL,
    _FENCED,
    loose_openings=(f"{ACTION} {_FENCE}json", f"{ACTION}{_FENCE}json"),
)
