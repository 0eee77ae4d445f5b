"""Calls are written as the models of a family write them."""

import pytest

from engine.chat.prompts.written_calls import written_calls

CALLS = [
    {"function": {"name": "f", "arguments": '{"a": "é", "b": [1, true]}'}},
    {"function": {"name": "g", "arguments": ""}},
]

FIRST, SECOND = '{"name": "f", "arguments": {"a": "é", "b": [1, true]}}', '{"name": "g", "arguments": {}}'


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<tool_call>", f'<tool_call>\n{FIRST}\n</tool_call>\n<tool_call>\n{SECOND}\n</tool_call>'),
        ("<|tool_list_start|>", "<|tool_call_start|>[f(a='é', b=[1, True]), g()]<|tool_call_end|>"),
        ("... <|tool_call|> ...", f"<|tool_call|>[{FIRST}, {SECOND}]"),
        ("[TOOL_CALLS]", f"[TOOL_CALLS][{FIRST}, {SECOND}]"),
    ],
)  # fmt: skip
def test_the_form_is_the_one_whose_marks_the_template_has(source: str, text: str) -> None:
    assert written_calls(CALLS, source) == text


def test_deepseeks_form_has_its_own_marks() -> None:
    bar, line = "\uff5c", "\u2581"
    begin = f"<{bar}tool{line}calls{line}begin{bar}>"
    text = written_calls(CALLS[:1], begin)
    assert text.startswith(f"{begin}<{bar}tool{line}call{line}begin{bar}>function<{bar}tool{line}sep{bar}>f\n```json\n")
    assert text.endswith(f"\n```<{bar}tool{line}call{line}end{bar}><{bar}tool{line}calls{line}end{bar}>")


@pytest.mark.parametrize("arguments", ['{"cut', "[" * 3000])
def test_broken_arguments_are_written_as_text(arguments: str) -> None:
    assert arguments in written_calls([{"function": {"name": "f", "arguments": arguments}}], "").replace('\\"', '"')
