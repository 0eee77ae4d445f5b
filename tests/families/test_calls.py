"""What a family's real template writes for a call is read as that call, whole and in pieces."""

import json
import re
from itertools import takewhile
from pathlib import Path

import pytest

from engine.chat.prompts.prompt_template import PromptTemplate
from tests.families.real_templates import each_template, needs_templates
from tools.parse_output import Asked

pytestmark = needs_templates

ARGUMENTS = {"city": 'Rome {"}<', "days": 3}
PROPERTIES = {"city": {"type": "string"}, "days": {"type": "integer"}}
SCHEMA = {"type": "object", "properties": PROPERTIES, "required": ["city", "days"]}
TOOLS = [{"type": "function", "function": {"name": "get_weather", "description": "The weather", "parameters": SCHEMA}}]
QUESTION = {"role": "user", "content": "What will the weather be?"}
CALL = {
    "id": "call00001",
    "type": "function",
    "function": {"name": "get_weather", "arguments": json.dumps(ARGUMENTS)},
}
ENDS = re.compile(r"(<[|\uff5c][^<>]{2,24}[|\uff5c]>|<end_of_turn>|</s>|\s)+\Z")
"""Marks behind a turn, which a worker takes for its end."""
TURN_ENDS = {
    "CohereForAI-c4ai-command-r-plus-tool_use": "<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>",
    "Kimi-K3": "<|close|>message",
    "NVIDIA-Nemotron-Nano-v2": "<SPECIAL_12>",
}
"""Where the end of a turn is more than marks, or other ones."""
UNREADABLE = {
    "LFM2.5-Instruct": "shows no calls of earlier turns, so that they are written in another form",
}


def written(path: Path) -> tuple[str, str]:
    """How the template begins an answer that calls, and the call."""
    template = PromptTemplate(path.read_text(encoding="utf-8"), bos_token="<s>", eos_token="</s>")

    def answered(message: dict[str, object]) -> str:
        return template.render([QUESTION, message], TOOLS, add_generation_prompt=False)

    calling = answered({"role": "assistant", "content": "", "tool_calls": [CALL]})
    speaking, tail = answered({"role": "assistant", "content": "qanswer"}).split("qanswer", 1)
    begun = "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(calling, speaking, strict=False)))
    begun = begun[: begun.rindex("<")] if begun.rfind("<") > begun.rfind(">") else begun
    begun = begun.removesuffix(" to=")  # which begins the header of any message
    return begun, calling.removeprefix(begun).removesuffix(tail)


@each_template
@pytest.mark.parametrize("size", [None, 1, 7])
def test_what_the_template_writes_for_a_call_is_read_as_that_call(path: Path, size: int | None) -> None:
    if path.stem in UNREADABLE:
        pytest.skip(UNREADABLE[path.stem])
    begun, call = written(path)
    asked = Asked(path.read_text(encoding="utf-8"), tools=TOOLS, prompt_suffix=begun[-40:])
    output = ENDS.sub("", call.split(TURN_ENDS.get(path.stem, "\0"))[0])
    message = asked.message(output, stream=size)
    assert [call["function"]["name"] for call in message.get("tool_calls", ())] == ["get_weather"]
    assert json.loads(message["tool_calls"][0]["function"]["arguments"]) == ARGUMENTS
    assert not message["content"]
