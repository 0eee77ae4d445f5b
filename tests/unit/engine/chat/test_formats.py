"""The form of tool call is read from the template that teaches it."""

import pytest

from engine.chat.formats import tool_format
from engine.chat.tool_formats.hermes import HermesFormat
from engine.chat.tool_formats.llama import LlamaFormat
from engine.chat.tool_formats.mistral import MistralFormat
from engine.families import LAST_RESORT


@pytest.mark.parametrize(
    ("template", "form"),
    [
        ("{% if tools %}return JSON within <tool_call></tool_call>{% endif %}", HermesFormat),
        (LAST_RESORT.template, type(None)),
        ("<tool_call>\n<function=name>\n<parameter=p>", type(None)),
        ("<tool_call>name\n<arg_key>k</arg_key>", type(None)),
        ("{{ '[TOOL_CALLS][' }}", MistralFormat),
        ('<|start_header_id|> say {"name": function, "parameters": {}} or {{ \'"parameters": \' }}', LlamaFormat),
    ],
)
def test_the_form_is_the_one_that_the_template_shows(template: str, form: type) -> None:
    assert type(tool_format(template)) is form
