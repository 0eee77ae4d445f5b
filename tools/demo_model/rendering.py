"""Owns turning samples into the exact text the model sees, through the chat template that ships in the model file."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tools.demo_model.samples import Json, Message, Sample

TEMPLATE_PATH = Path(__file__).with_name("chat_template.jinja")
TURN_START, TURN_END, TEXT_END = "<|im_start|>", "<|im_end|>", "<|endoftext|>"


def _to_json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


@functools.cache
def chat_template() -> Template:
    """The shipped template, rendered as Hugging Face's library and the server do."""
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.filters["tojson"] = _to_json
    return environment.from_string(TEMPLATE_PATH.read_text("utf-8"))


def chat_text(messages: Sequence[Message], tools: Sequence[Message], *, open_answer: bool) -> str:
    """The prompt of a chat; `open_answer` begins the assistant's next turn."""
    return chat_template().render(messages=messages, tools=list(tools) or None, add_generation_prompt=open_answer)


def training_text(sample: Sample) -> str:
    """The whole sample with the mark that ends it."""
    if not sample.messages:
        return sample.prompt + sample.completion + TEXT_END
    return chat_text(sample.messages, sample.tools, open_answer=False).removesuffix("\n")


def prompt_and_answer(sample: Sample) -> tuple[str, str]:
    """What an evaluation gives to the model, and what it should write before it ends its turn."""
    if not sample.messages:
        return sample.prompt, sample.completion
    prompt = chat_text(sample.messages[:-1], sample.tools, open_answer=True)
    whole = chat_text(sample.messages, sample.tools, open_answer=False)
    return prompt, whole[len(prompt) :].removesuffix(TURN_END + "\n")
