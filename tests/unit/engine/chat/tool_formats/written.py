"""Each form of call as its model writes it, and what holds for all of them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.chat.tool_formats.apertus import APERTUS
from engine.chat.tool_formats.command_r import COMMAND_R, COMMAND_R7B
from engine.chat.tool_formats.deepseek import CALL_BEGIN, CALL_END, CALLS_BEGIN, CALLS_END, NAME_END, DeepSeekFormat
from engine.chat.tool_formats.firefunction import FIREFUNCTION
from engine.chat.tool_formats.form import ToolFormat
from engine.chat.tool_formats.functionary import FunctionaryFormat
from engine.chat.tool_formats.generic import GenericFormat, ToldFormat
from engine.chat.tool_formats.gigachat import GIGACHAT_3, GIGACHAT_3_1
from engine.chat.tool_formats.granite import GRANITE
from engine.chat.tool_formats.hermes import HermesFormat
from engine.chat.tool_formats.kimi_k2 import KimiK2Format
from engine.chat.tool_formats.llama import LlamaFormat
from engine.chat.tool_formats.mistral import MistralFormat
from engine.chat.tool_formats.nemotron import NEMOTRON
from engine.chat.tool_formats.phi import PHI
from engine.chat.tool_formats.solar import SolarFormat
from engine.chat.tool_formats.tool_calls_tag import APRIEL, MINIMAX_M1

Call = tuple[str, dict[str, object]]


@dataclass(frozen=True)
class Written:
    """A form, and calls in it as the grammar has the model write them. `is_alone`: an answer is one call or text."""

    form: ToolFormat
    write: Callable[[Sequence[Call]], str]
    is_alone: bool = False


def dumped(value: object) -> str:
    """JSON as templates show it to their models."""
    return json.dumps(value, ensure_ascii=False)


def _objects(before: str, between: str, after: str, one: Callable[[str, str], str]) -> Callable[[Sequence[Call]], str]:
    """Calls with something around and between them, each made of its name and its arguments' JSON."""
    return lambda calls: before + between.join(one(name, dumped(arguments)) for name, arguments in calls) + after


def _object(name: str, arguments: str) -> str:
    return f'{{"name": {dumped(name)}, "arguments": {arguments}}}'


def _tool_name(name: str, arguments: str) -> str:
    return f'{{\n        "tool_name": {dumped(name)},\n        "parameters": {arguments}\n    }}'


WRITTEN = {
    "hermes": Written(HermesFormat(), _objects("", "\n", "", lambda n, a: f"<tool_call>\n{_object(n, a)}\n</tool_call>")),
    "llama": Written(
        LlamaFormat(), _objects("", "", "", lambda n, a: f'{{"name": {dumped(n)}, "parameters": {a}}}'), is_alone=True
    ),
    "mistral-array": Written(
        MistralFormat(in_array=True),
        _objects("[TOOL_CALLS][", ", ", "]", lambda n, a: f'{_object(n, a)[:-1]}, "id": "abcDEF012"}}'),
    ),
    "mistral-args": Written(MistralFormat(), _objects("", "", "", lambda n, a: f"[TOOL_CALLS]{n}[ARGS]{a}")),
    "mistral-ids": Written(
        MistralFormat(with_ids=True), _objects("", "", "", lambda n, a: f"[TOOL_CALLS]{n}[CALL_ID]abcDEF012[ARGS]{a}")
    ),
    "functionary": Written(FunctionaryFormat(), _objects("", "", "", lambda n, a: f"<function={n}>{a}</function>")),
    "deepseek": Written(
        DeepSeekFormat(),
        _objects(CALLS_BEGIN, "", CALLS_END, lambda n, a: f"{CALL_BEGIN}{n}{NAME_END}{a}{CALL_END}"),
    ),
    "deepseek-fenced": Written(
        DeepSeekFormat(is_fenced=True),
        _objects(
            CALLS_BEGIN, "\n", CALLS_END,
            lambda n, a: f"{CALL_BEGIN}function{NAME_END}{n}\n```json\n{a}\n```{CALL_END}",
        ),
    ),
    "command-r7b": Written(
        COMMAND_R7B,
        _objects(
            "<|START_ACTION|>[\n    ", ",\n    ", "\n]<|END_ACTION|>",
            lambda n, a: f'{{"tool_call_id": "0", "tool_name": {dumped(n)}, "parameters": {a}}}',
        ),
    ),
    "command-r": Written(COMMAND_R, _objects("Action:\n```json\n[\n    ", ",\n    ", "\n]```", _tool_name)),
    "granite": Written(GRANITE, _objects("<|tool_call|>[", ", ", "]", _object)),
    "phi": Written(PHI, _objects("<|tool_call|>[", ", ", "]<|/tool_call|>", _object)),
    "kimi-k2": Written(
        KimiK2Format(),
        _objects(
            "<|tool_calls_section_begin|>", "", "<|tool_calls_section_end|>",
            lambda n, a: f"<|tool_call_begin|>functions.{n}:0<|tool_call_argument_begin|>{a}<|tool_call_end|>",
        ),
    ),
    "solar": Written(
        SolarFormat(),
        _objects(
            "<|tool_calls|>", "", "<|calls|>",
            lambda n, a: f"<|tool_call:begin|>a1b2c3d4e5<|tool_call:name|>{n}<|tool_call:args|>{a}<|tool_call:end|>",
        ),
    ),
    "nemotron": Written(NEMOTRON, _objects("<TOOLCALL>[", ", ", "]</TOOLCALL>", _object)),
    "apertus": Written(
        APERTUS, _objects("<|tools_prefix|>[", ", ", "]<|tools_suffix|>", lambda n, a: f"{{{dumped(n)}: {a}}}")
    ),
    "firefunction": Written(FIREFUNCTION, _objects("functools[", ", ", "]", _object)),
    "apriel": Written(APRIEL, _objects("<tool_calls>[", ", ", "]</tool_calls>", _object)),
    "minimax-m1": Written(MINIMAX_M1, _objects("<tool_calls>\n", "\n", "\n</tool_calls>", _object)),
    "told": Written(ToldFormat(), _objects("", "\n", "", lambda n, a: f"<tool_call>\n{_object(n, a)}\n</tool_call>")),
    "generic": Written(GenericFormat(), _objects("", "", "", _object), is_alone=True),
    "gigachat-3": Written(
        GIGACHAT_3, _objects("<|message_sep|>\n\nfunction call<|role_sep|>\n", "", "", _object), is_alone=True
    ),
    "gigachat-3.1": Written(GIGACHAT_3_1, _objects("<|function_call|>", "", "", _object), is_alone=True),
}  # fmt: skip
"""By the name of the form."""
