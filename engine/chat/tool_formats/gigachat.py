"""The forms of GigaChat 3: a message of its own with the role `function call` and one object, or, since 3.1, `<|function_call|>` and one
object. Its template shows it no more than one call of an answer.
"""

from engine.chat.tool_formats.json_list import JsonListFormat
from engine.chat.tool_formats.spelling import CallSpelling

FUNCTION_CALL = "<|function_call|>"
MESSAGE_END, ROLE_END = "<|message_sep|>", "<|role_sep|>"
_ONE = CallSpelling(opening="", closing="", is_alone=True)

GIGACHAT_3_1 = JsonListFormat((FUNCTION_CALL,), written=_ONE)
GIGACHAT_3 = JsonListFormat(
    (f"{MESSAGE_END}\n\nfunction call{ROLE_END}\n",), written=_ONE, further_marks=(MESSAGE_END, ROLE_END)
)
