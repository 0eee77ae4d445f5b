"""The demo model under a template that has it think: what a reasoning model is to the server, in the size of a test."""

from pathlib import Path

from gguf import GGUFReader, GGUFWriter
from gguf.scripts.gguf_new_metadata import MetadataDetails, copy_with_new_metadata

from engine import BUNDLED_MODEL

_TOKENS, _TEMPLATE = "tokenizer.ggml.tokens", "tokenizer.chat_template"
_OPENING = "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
_THOUGHTS = "{%- if message.reasoning_content -%}{{- '<think>\\n' + message.reasoning_content + '\\n</think>\\n\\n' -}}{%- endif -%}"
_SWITCHED = "{%- if enable_thinking is defined and not enable_thinking -%}{{- '\\n</think>\\n\\n' -}}{%- endif -%}"


def write_thinking_model(path: Path, *, marks_are_tokens: bool, has_switch: bool = True) -> Path:
    """A model file whose template opens `<think>` behind the question. `has_switch`: `enable_thinking` false closes it again.
    `marks_are_tokens`: the marks are tokens of its vocabulary, in place of two that its new template does not need."""
    reader = GGUFReader(BUNDLED_MODEL)
    field = reader.fields[_TOKENS]
    names = {"<tools>": "<think>", "</tools>": "</think>"} if marks_are_tokens else {}
    tokens = [names.get(token, token) for token in field.contents()]
    writer = GGUFWriter(path, arch="llama")
    new = {
        _TOKENS: MetadataDetails(field.types[0], tokens, sub_type=field.types[-1]),
        _TEMPLATE: MetadataDetails(reader.fields[_TEMPLATE].types[0], _template(reader, has_switch=has_switch)),
    }
    copy_with_new_metadata(reader, writer, new, [])
    return path


def _template(reader: GGUFReader, *, has_switch: bool) -> str:
    source: str = reader.fields[_TEMPLATE].contents()
    assert _OPENING in source
    opened = _OPENING.replace(
        "{%- endif -%}", "{{- '<think>\\n' -}}" + (_SWITCHED if has_switch else "") + "{%- endif -%}"
    )
    said = "    {{- text_of(message.content) -}}\n    {%- for call"
    assert said in source
    return source.replace(_OPENING, opened).replace(said, f"    {_THOUGHTS}\n{said}")
