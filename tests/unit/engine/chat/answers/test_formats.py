"""The form of tool call is read from the template that teaches it."""

import pytest

from engine.chat.answers.formats import tool_format
from engine.chat.tool_formats.apertus import APERTUS
from engine.chat.tool_formats.command_r import COMMAND_R, COMMAND_R7B
from engine.chat.tool_formats.deepseek import CALL_BEGIN, NAME_END, DeepSeekFormat
from engine.chat.tool_formats.dsml import MARK, V4_BLOCK, V32_BLOCK, dsml_format
from engine.chat.tool_formats.firefunction import FIREFUNCTION
from engine.chat.tool_formats.functionary import FunctionaryFormat
from engine.chat.tool_formats.generic import GenericFormat, ToldFormat
from engine.chat.tool_formats.gigachat import GIGACHAT_3, GIGACHAT_3_1
from engine.chat.tool_formats.glm import glm_format
from engine.chat.tool_formats.granite import GRANITE
from engine.chat.tool_formats.hermes import HermesFormat
from engine.chat.tool_formats.hunyuan import hunyuan_format
from engine.chat.tool_formats.kimi_k2 import KimiK2Format
from engine.chat.tool_formats.llama import LlamaFormat
from engine.chat.tool_formats.minicpm import minicpm_format
from engine.chat.tool_formats.minimax import minimax_format
from engine.chat.tool_formats.mistral import MistralFormat
from engine.chat.tool_formats.muse import MuseFormat
from engine.chat.tool_formats.nemotron import NEMOTRON
from engine.chat.tool_formats.phi import PHI
from engine.chat.tool_formats.qwen_xml import qwen_xml_format
from engine.chat.tool_formats.recipients import RecipientFormat
from engine.chat.tool_formats.seed import seed_format
from engine.chat.tool_formats.solar import SolarFormat
from engine.chat.tool_formats.tool_calls_tag import APRIEL, MINIMAX_M1
from engine.families import LAST_RESORT


@pytest.mark.parametrize(
    ("template", "form"),
    [
        ("{% if tools %}return JSON within <tool_call></tool_call>{% endif %}", HermesFormat),
        (LAST_RESORT.template, type(None)),
        ("{{ messages }} call them within <tool_call></tool_call>", ToldFormat),
        ("{{ messages }} What tools have we?", type(None)),
        ("{%- if messages and tools %}{{ tools | tojson }}{% endif %}", GenericFormat),
        ('<|start_header_id|> say {"name": function, "parameters": {}} or {{ \'"parameters": \' }}', LlamaFormat),
        ("{{ '<|start|>assistant to=f<|message|><atem:function_calls>' + calls + '<|eom|>' }}", MuseFormat),
        ("answer as >>>${recipient}\\n${content}", RecipientFormat),
        ("write <function=name>{}</function> or {{ '<|python_tag|>' + code }}", FunctionaryFormat),
        ("{{ '<|tool_calls|><|tool_call:begin|>' + id + '<|tool_call:args|>' }}", SolarFormat),
        ("{{ '<|tool_calls_section_begin|><|tool_call_begin|>' + id + '<|tool_call_argument_begin|>' }}", KimiK2Format),
    ],
)
def test_the_form_is_the_one_that_the_template_shows(template: str, form: type) -> None:
    assert type(tool_format(template)) is form


@pytest.mark.parametrize(
    ("template", "form"),
    [
        ("<tool_call>\n<function=name>\n<parameter=p>", qwen_xml_format()),
        ("<tool_call>name\n<arg_key>k</arg_key>", glm_format()),
        ("'<seed:tool_call>' and <function=name>\n<parameter=p>", seed_format()),
        ("<minimax:tool_call>\n<invoke name=", minimax_format()),
        (f"{MARK} '<' + t + 'function_calls>' <tool_call>", dsml_format(V32_BLOCK)),
        (f"{MARK} '<' + t + 'tool_calls>'", dsml_format(V4_BLOCK)),
        ("{% set S = ':opensource' %}{{ '<arg_key{}>'.format(S) }}{{ '<tool_sep{}>'.format(S) }}", hunyuan_format()),
        ('<function name="n"><param name="p">v</param></function>', minicpm_format()),
        ("{{ '[TOOL_CALLS][' }}{{ name }}", MistralFormat(in_array=True)),
        ("{{ '[TOOL_CALLS]' + name + '[ARGS]' }}", MistralFormat()),
        ("{{ '[TOOL_CALLS]' + name + '[CALL_ID]' + id + '[ARGS]' }}", MistralFormat(with_ids=True)),
        (f"{{{{ '{CALL_BEGIN}' + name + '{NAME_END}' + arguments }}}}", DeepSeekFormat()),
        (f"{{{{ '{CALL_BEGIN}' + type + '{NAME_END}' + name + '\n```json\n' }}}}", DeepSeekFormat(is_fenced=True)),
        ("then write <|START_ACTION|> and a list with tool_name in <|START_RESPONSE|>", COMMAND_R7B),
        ("write 'Action:' and ```json [{\"tool_name\": title}]```", COMMAND_R),
        ("respond only with <|tool_call|> and a JSON list", GRANITE),
        ("'<|tool|>' + message['tools'] + '<|/tool|>'", PHI),
        ('<TOOLCALL>[{"name": "f"}]</TOOLCALL>', NEMOTRON),
        ("{% set prefix = '<|tools_prefix|>' %}", APERTUS),
        ("written as functools[{...}]", FIREFUNCTION),
        ("within <tool_call></tool_call> as <tool_calls>[{}]</tool_calls>", APRIEL),
        ("{{ '<tool_calls>\n{\"name\": ' + name + ', \"arguments\": ' }}", MINIMAX_M1),
        ("{% set sep = '<|message_sep|>' %}{% set role = '<|role_sep|>' %}", GIGACHAT_3),
        ("'<|message_sep|>' '<|role_sep|>' '<|function_call|>'", GIGACHAT_3_1),
    ],
)
def test_a_family_whose_forms_differ_has_the_one_that_the_template_shows(template: str, form: object) -> None:
    assert tool_format(template) == form
