"""What is known of chat formats beyond a template's text: which form of tool call it asks for.

Must not know how a template is rendered or a call is read.
"""

from collections.abc import Callable

from engine.chat.tool_formats import dsml, glm, harmony, hunyuan, minicpm, minimax, mistral, qwen_xml, seed
from engine.chat.tool_formats.form import ToolFormat
from engine.chat.tool_formats.hermes import OPEN, HermesFormat
from engine.chat.tool_formats.llama import LlamaFormat
from engine.chat.tool_formats.mistral import MistralFormat


def tool_format(template: str) -> ToolFormat | None:
    """The form of tool call that a template teaches its model; None if it is not one of those known here."""
    return next(filter(None, (form(template) for form in _FORMS)), None)


def _mistral(template: str) -> ToolFormat | None:
    if mistral.OPEN not in template:
        return None
    return MistralFormat(in_array=mistral.ARGS not in template, with_ids=mistral.CALL_ID in template)


def _by_texts(template: str) -> ToolFormat | None:
    return next((form() for texts, form in _TAUGHT if all(text in template for text in texts)), None)


def _hermes(template: str) -> ToolFormat | None:
    return HermesFormat() if OPEN in template else None


def _llama(template: str) -> ToolFormat | None:
    """Nothing marks its calls but the members of the object that the template asks for."""
    if "<|start_header_id|>" in template and '"parameters": ' in template:
        return LlamaFormat()
    return None


_FORMS: tuple[Callable[[str], ToolFormat | None], ...] = (_mistral, _by_texts, _hermes, _llama)
"""The first that knows a template is its form: several that write calls as tags open them with Hermes' marker."""

_TAUGHT: tuple[tuple[tuple[str, ...], Callable[[], ToolFormat]], ...] = (
    ((harmony.START, harmony.CHANNEL, harmony.MESSAGE), harmony.HarmonyFormat),
    ((dsml.MARK, f"{dsml.V32_BLOCK}>"), lambda: dsml.dsml_format(dsml.V32_BLOCK)),
    ((dsml.MARK, f"{dsml.V4_BLOCK}>"), lambda: dsml.dsml_format(dsml.V4_BLOCK)),
    ((seed.OPEN, "<function=", "<parameter="), seed.seed_format),
    ((minimax.OPEN, "<invoke name="), minimax.minimax_format),
    (("<arg_key{}>", "<tool_sep{}>", hunyuan.SUFFIX), hunyuan.hunyuan_format),
    (("<function name=", "<param name="), minicpm.minicpm_format),
    (("<function=", "<parameter=", OPEN), qwen_xml.qwen_xml_format),
    ((OPEN, "<arg_key>"), glm.glm_format),
)
"""The texts which together show that a template teaches a form."""
