"""Each form of call as its model writes it, and what holds for all of them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.chat.tool_formats.form import ToolFormat
from engine.chat.tool_formats.llama import LlamaFormat
from engine.chat.tool_formats.mistral import MistralFormat

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


WRITTEN = {
    "llama": Written(
        LlamaFormat(), _objects("", "", "", lambda name, a: f'{{"name": {dumped(name)}, "parameters": {a}}}'), is_alone=True
    ),
    "mistral-array": Written(
        MistralFormat(in_array=True),
        _objects("[TOOL_CALLS][", ", ", "]", lambda name, a: f'{_object(name, a)[:-1]}, "id": "abcDEF012"}}'),
    ),
    "mistral-args": Written(
        MistralFormat(), _objects("", "", "", lambda name, a: f"[TOOL_CALLS]{name}[ARGS]{a}")
    ),
    "mistral-ids": Written(
        MistralFormat(with_ids=True), _objects("", "", "", lambda name, a: f"[TOOL_CALLS]{name}[CALL_ID]abcDEF012[ARGS]{a}")
    ),
}  # fmt: skip
"""By the name of the form."""
