"""What is known of chat formats beyond a template's text: which form of tool call it asks for.

Must not know how a template is rendered or a call is read.
"""

from collections.abc import Callable

from engine.chat.tool_formats import mistral
from engine.chat.tool_formats.form import ToolFormat
from engine.chat.tool_formats.hermes import OPEN, HermesFormat
from engine.chat.tool_formats.llama import LlamaFormat
from engine.chat.tool_formats.mistral import MistralFormat

_OTHER_FORMS_WITH_THE_MARKER = ("<function=", "<arg_key>")


def tool_format(template: str) -> ToolFormat | None:
    """The form of tool call that a template teaches its model; None if it is not one of those known here."""
    return next(filter(None, (form(template) for form in _FORMS)), None)


def _mistral(template: str) -> ToolFormat | None:
    if mistral.OPEN not in template:
        return None
    return MistralFormat(in_array=mistral.ARGS not in template, with_ids=mistral.CALL_ID in template)


def _hermes(template: str) -> ToolFormat | None:
    """Qwen3-Coder and GLM open their calls with Hermes' marker too, but write XML between."""
    if OPEN in template and not any(mark in template for mark in _OTHER_FORMS_WITH_THE_MARKER):
        return HermesFormat()
    return None


def _llama(template: str) -> ToolFormat | None:
    """Nothing marks its calls but the members of the object that the template asks for."""
    if "<|start_header_id|>" in template and '"parameters": ' in template:
        return LlamaFormat()
    return None


_FORMS: tuple[Callable[[str], ToolFormat | None], ...] = (_mistral, _hermes, _llama)
"""The first that knows a template is its form."""
