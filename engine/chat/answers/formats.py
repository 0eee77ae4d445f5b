"""What is known of chat formats beyond a template's text: which form of tool call it asks for.

Must not know how a template is rendered or a call is read.
"""

import re
from collections.abc import Callable

from engine.chat.tool_formats import (
    apertus,
    command_r,
    deepseek,
    dsml,
    firefunction,
    functionary,
    gemma4,
    gemma_code,
    gigachat,
    glm,
    granite,
    harmony,
    hermes,
    hunyuan,
    kimi_k2,
    kimi_k3,
    lfm2,
    message_form,
    minicpm,
    minimax,
    minimax3,
    minimax3_rules,
    mistral,
    muse,
    nemotron,
    phi,
    python_code,
    qwen_xml,
    recipients,
    seed,
    solar,
    tool_calls_tag,
)
from engine.chat.tool_formats.form import ToolFormat
from engine.chat.tool_formats.generic import GenericFormat, ToldFormat
from engine.chat.tool_formats.llama import LlamaFormat
from engine.chat.tool_formats.mistral import MistralFormat

FORMS: tuple[tuple[tuple[str, ...], Callable[[], ToolFormat]], ...] = (
    ((message_form.START, harmony.CHANNEL, message_form.MESSAGE), harmony.HarmonyFormat),
    ((muse.OPEN, muse.GOES_ON), muse.MuseFormat),
    ((mistral.OPEN, mistral.ARGS, mistral.CALL_ID), lambda: MistralFormat(with_ids=True)),
    ((mistral.OPEN, mistral.ARGS), MistralFormat),
    ((mistral.OPEN,), lambda: MistralFormat(in_array=True)),
    ((deepseek.CALL_BEGIN, deepseek.FENCE), lambda: deepseek.DeepSeekFormat(is_fenced=True)),
    ((deepseek.CALL_BEGIN,), deepseek.DeepSeekFormat),
    ((gemma4.OPEN, gemma4.CLOSE, "call:"), gemma4.Gemma4Format),
    ((dsml.MARK, f"{dsml.V32_BLOCK}>"), lambda: dsml.dsml_format(dsml.V32_BLOCK)),
    ((dsml.MARK, f"{dsml.V4_BLOCK}>"), lambda: dsml.dsml_format(dsml.V4_BLOCK)),
    ((command_r.START_ACTION,), lambda: command_r.COMMAND_R7B),
    ((command_r.ACTION, '"tool_name"'), lambda: command_r.COMMAND_R),
    ((kimi_k2.CALL_BEGIN, kimi_k2.ARGUMENTS_BEGIN), kimi_k2.KimiK2Format),
    ((solar.BEGIN, solar.CALL_BEGIN, solar.ARGUMENTS_BEGIN), solar.SolarFormat),
    ((kimi_k3.OPEN, kimi_k3.CLOSE, kimi_k3.END, "'argument'"), kimi_k3.kimi_k3_format),
    ((nemotron.OPEN,), lambda: nemotron.NEMOTRON),
    ((apertus.OPEN,), lambda: apertus.APERTUS),
    ((firefunction.OPEN,), lambda: firefunction.FIREFUNCTION),
    ((granite.OPEN,), lambda: granite.GRANITE),
    ((phi.TOOLS,), lambda: phi.PHI),
    ((gigachat.FUNCTION_CALL, gigachat.ROLE_END), lambda: gigachat.GIGACHAT_3_1),
    ((gigachat.MESSAGE_END, gigachat.ROLE_END), lambda: gigachat.GIGACHAT_3),
    ((f"{tool_calls_tag.OPEN}[",), lambda: tool_calls_tag.APRIEL),
    ((tool_calls_tag.OPEN, '"arguments": '), lambda: tool_calls_tag.MINIMAX_M1),
    ((recipients.SHOWN,), recipients.RecipientFormat),
    ((functionary.OPEN, python_code.PYTHON_TAG), functionary.FunctionaryFormat),
    ((seed.OPEN, "<function=", "<parameter="), seed.seed_format),
    ((minimax3_rules.MARK, hermes.OPEN), minimax3.MiniMax3Format),
    ((minimax.OPEN, "<invoke name="), minimax.minimax_format),
    (("<arg_key{}>", "<tool_sep{}>", hunyuan.SUFFIX), hunyuan.hunyuan_format),
    (("<function name=", "<param name="), minicpm.minicpm_format),
    (("<function=", "<parameter=", hermes.OPEN), qwen_xml.qwen_xml_format),
    ((hermes.OPEN, "<arg_key>"), glm.glm_format),
    ((gemma_code.OPEN,), gemma_code.GemmaCodeFormat),
    (lfm2.TAUGHT_BY, lfm2.Lfm2Format),
    ((hermes.OPEN,), hermes.HermesFormat),
    (("<|start_header_id|>", '"parameters": '), LlamaFormat),  # nothing marks its calls but their members
)
"""The texts by which a template shows that it teaches a form. The first form whose texts are all there is it: several open their calls with
Hermes' marker, too."""
_USES_TOOLS = re.compile(r"\{[%{][^}]*\btools\b")


def tool_format(template: str) -> ToolFormat | None:
    """The form of tool call that a template teaches its model, the generic one if it is not known here; None if it shows no tools."""
    known = next((form() for texts, form in FORMS if all(text in template for text in texts)), None)
    if _USES_TOOLS.search(template):
        return known or GenericFormat()
    return ToldFormat() if isinstance(known, hermes.HermesFormat) else known  # told in words, as it does not show tools
