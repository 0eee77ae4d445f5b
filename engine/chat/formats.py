"""What is known of chat formats beyond a template's text: which form of tool call it asks for.

Must not know how a template is rendered or a call is read.
"""

from engine.chat.tool_formats.form import ToolFormat
from engine.chat.tool_formats.hermes import OPEN, HermesFormat

_OTHER_FORMS_WITH_THE_MARKER = ("<function=", "<arg_key>")


def tool_format(template: str) -> ToolFormat | None:
    """The form of tool call that a template teaches its model; None if it is not one of those known here.

    Qwen3-Coder and GLM open their calls with Hermes' marker too, but write XML between.
    """
    if OPEN in template and not any(mark in template for mark in _OTHER_FORMS_WITH_THE_MARKER):
        return HermesFormat()
    return None
