"""Lists of calls in JSON are read however far they are bent, for every family that writes them."""

import pytest

from engine.chat.tool_formats.apertus import APERTUS
from engine.chat.tool_formats.command_r import COMMAND_R, COMMAND_R7B
from engine.chat.tool_formats.firefunction import FIREFUNCTION
from engine.chat.tool_formats.gigachat import GIGACHAT_3, GIGACHAT_3_1
from engine.chat.tool_formats.granite import GRANITE
from engine.chat.tool_formats.json_list import JsonListFormat
from engine.chat.tool_formats.nemotron import NEMOTRON
from engine.chat.tool_formats.phi import PHI
from engine.chat.tool_formats.tool_calls_tag import APRIEL, MINIMAX_M1
from tests.unit.engine.chat.reading import Found, in_pieces, read

F = '{"name": "f", "arguments": {"x": 1}}'
G = '{"name": "g", "arguments": {}}'
BOTH: Found = [("f", {"x": 1}), ("g", {})]


@pytest.mark.parametrize(
    ("form", "text", "found"),
    [
        (NEMOTRON, f"<TOOLCALL>[{F}, {G}]</TOOLCALL>", BOTH),
        (NEMOTRON, f"<TOOLCALL> [ {F} ,\n{G} ] </TOOLCALL>\n", BOTH),
        (NEMOTRON, f"<TOOLCALL>{F}</TOOLCALL>\n<TOOLCALL>{G}</TOOLCALL>", BOTH),
        (NEMOTRON, f"<TOOLCALL>{F}\n{G}</TOOLCALL>", BOTH),
        (NEMOTRON, f"<TOOLCALL>[{F}, {G}]", BOTH),
        (NEMOTRON, f"<TOOLCALL>[{F}, {G}", BOTH),
        (NEMOTRON, f"<TOOLCALL>[{F}, {G}]</TOOL", BOTH),
        (NEMOTRON, f"So.\n<TOOLCALL>[{F}]</TOOLCALL> Done.", ["So.", BOTH[0], "Done."]),
        (NEMOTRON, f"<TOOLCALL>[{F}, oops]</TOOLCALL>", [BOTH[0], ", oops]</TOOLCALL>"]),
        (NEMOTRON, '<TOOLCALL>[{"name": "f", "arguments": "{\\"x\\": 1}"}]</TOOLCALL>', BOTH[:1]),
        (NEMOTRON, "<TOOLCALL>[]</TOOLCALL>", ["<TOOLCALL>[]</TOOLCALL>"]),
        (NEMOTRON, "the mark <TOOLCALL> opens", ["the mark <TOOLCALL> opens"]),
        (GRANITE, f"<|tool_call|>[{F}, {G}]", BOTH),
        (GRANITE, f"<|tool_call|>{F}", BOTH[:1]),
        (GRANITE, "<|tool_call|> hm", ["<|tool_call|> hm"]),
        (PHI, f"<|tool_call|>[{F}, {G}]<|/tool_call|>", BOTH),
        (PHI, f"functools[{F}, {G}]", BOTH),
        (PHI, "functools[0]", ["functools[0]"]),
        (FIREFUNCTION, f" functools[{F}, {G}]", BOTH),
        (FIREFUNCTION, f"I will. functools[{F}]", ["I will.", BOTH[0]]),
        (FIREFUNCTION, "import functools", ["import functools"]),
        (FIREFUNCTION, "functools.partial(f)", ["functools.partial(f)"]),
        (APRIEL, f"<tool_calls>[{F}, {G}]</tool_calls>", BOTH),
        (APRIEL, f'<tool_calls>[{F[:-1]}, "id": "a1"}}]</tool_calls>', BOTH[:1]),
        (MINIMAX_M1, f"<tool_calls>\n{F}\n{G}\n</tool_calls>", BOTH),
        (MINIMAX_M1, f"Ok.\n\n<tool_calls>\n{F}\n</tool_calls>", ["Ok.", BOTH[0]]),
        (GIGACHAT_3_1, f"Ok.<|function_call|>{F}", ["Ok.", BOTH[0]]),
        (GIGACHAT_3_1, "<|function_call|>f(1)", ["<|function_call|>f(1)"]),
        (GIGACHAT_3, f"Ok.<|message_sep|>\n\nfunction call<|role_sep|>\n{F}", ["Ok.", BOTH[0]]),
        (GIGACHAT_3, "Ok.<|message_sep|>", ["Ok.<|message_sep|>"]),
        (APERTUS, '<|tools_prefix|>[{"f": {"x": 1}}, {"g": {}}]<|tools_suffix|>', BOTH),
        (APERTUS, 'Ok <|tools_prefix|>[{ "f" : {"x": 1} }', ["Ok", BOTH[0]]),
        (APERTUS, '<|tools_prefix|>[{"f": 1}]<|tools_suffix|>', ['<|tools_prefix|>[{"f": 1}]<|tools_suffix|>']),
        (APERTUS, '<|tools_prefix|>[{"f": {}, "g": {}}]', [("f", {}), ', "g": {}}]']),
        (COMMAND_R7B, '<|START_ACTION|>[\n {"tool_call_id": "0", "tool_name": "g", "parameters": {}}\n]<|END_ACTION|>', BOTH[1:]),
        (COMMAND_R7B, '<|START_ACTION|>{"tool_name": "g"}', BOTH[1:]),
        (COMMAND_R, 'Plan.\nAction:\n```json\n[{"tool_name": "g", "parameters": {}}]\n```', ["Plan.", BOTH[1]]),
        (COMMAND_R, 'Action: ```json\n[{"tool_name": "g", "parameters": {}}]```', BOTH[1:]),
        (COMMAND_R, "Action:\n1. rest", ["Action:\n1. rest"]),
        (COMMAND_R, 'Action:\n```json\n{"a": 1}\n```', ['Action:\n```json\n{"a": 1}\n```']),
    ],
)  # fmt: skip
def test_calls_are_recognised_in_every_shape_that_models_write(form: JsonListFormat, text: str, found: Found) -> None:
    assert read(text, form) == found
    assert read(in_pieces(text, 1), form) == found
    assert read(in_pieces(text, 5), form) == found
