"""The form of tool call is read from the template that teaches it."""

import pytest

from engine.chat.formats import tool_format
from engine.chat.tool_formats.dsml import MARK, V4_BLOCK, V32_BLOCK, dsml_format
from engine.chat.tool_formats.form import ToolFormat
from engine.chat.tool_formats.glm import glm_format
from engine.chat.tool_formats.hermes import HermesFormat
from engine.chat.tool_formats.hunyuan import hunyuan_format
from engine.chat.tool_formats.llama import LlamaFormat
from engine.chat.tool_formats.minicpm import minicpm_format
from engine.chat.tool_formats.minimax import minimax_format
from engine.chat.tool_formats.mistral import MistralFormat
from engine.chat.tool_formats.qwen_xml import qwen_xml_format
from engine.chat.tool_formats.seed import seed_format
from engine.families import LAST_RESORT


@pytest.mark.parametrize(
    ("template", "form"),
    [
        ("{% if tools %}return JSON within <tool_call></tool_call>{% endif %}", HermesFormat),
        (LAST_RESORT.template, type(None)),
        ("{{ '[TOOL_CALLS][' }}", MistralFormat),
        ('<|start_header_id|> say {"name": function, "parameters": {}} or {{ \'"parameters": \' }}', LlamaFormat),
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
    ],
)
def test_forms_of_tags_are_told_apart(template: str, form: ToolFormat) -> None:
    assert tool_format(template) == form
