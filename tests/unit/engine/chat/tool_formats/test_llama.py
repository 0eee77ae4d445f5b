"""Llama's calls are told from other JSON by the functions that are offered, and its tag by what stands behind it."""

import pytest

from engine.chat.tool_formats.llama import LlamaFormat
from tests.unit.engine.chat.reading import Found, read

STRING = {"type": "object", "properties": {"source": {"type": "string"}}}


def reading(text: str, **offered: object) -> Found:
    found = read(text, LlamaFormat(), **(offered or {"f": {}, "g": {}}))
    assert read(list(text), LlamaFormat(), **(offered or {"f": {}, "g": {}})) == found
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"name": "f", "parameters": {"x": 1}}', [("f", {"x": 1})]),
        (' \n{ "name" : "f", "arguments": "{\\"x\\": 1}" }\n', [("f", {"x": 1})]),
        ('{"type": "function", "name": "f", "parameters": {}}', [("f", {})]),
        ('{"type": "function", "function": {"name": "f", "parameters": {"x": 1}}}', [("f", {"x": 1})]),
        ('{"name": "f", "parameters": {}}; {"name": "g", "parameters": {}}', [("f", {}), ("g", {})]),
        ('{"name": "f", "parameters": {}}\n{"name": "g", "parameters": {}}', [("f", {}), ("g", {})]),
        ('{"name": "f", "parameters": {}} and so on', [("f", {}), "and so on"]),
        ('{"name": "f", "parameters": {}}; so', [("f", {}), "; so"]),
        ('Let me look.\n\n{"name": "f", "parameters": {}}', ["Let me look.", ("f", {})]),
        ('<|python_tag|>{"name": "f", "parameters": {"x": 1}}', [("f", {"x": 1})]),
        ('<|python_tag|>brave_search.call(query="a \\"b\\"")', [("brave_search", {"query": 'a "b"'})]),
        ('Hm, <|python_tag|>f.call(a=1, b=[2])', ["Hm,", ("f", {"a": 1, "b": [2]})]),
        ('<|python_tag|>g.call()', [("g", {})]),
    ],
)  # fmt: skip
def test_calls_are_recognised_in_every_shape_that_models_write(text: str, found: Found) -> None:
    assert reading(text) == found


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "Alice", "age": 7}',
        '{"name": "Alice", "parameters": {"x": 1}}',
        '{"name": "f"}',
        '{"name": "f", "parameters": [1]}',
        '{"parameters": {"name": "f"}}',
        '[{"name": "f", "parameters": {}}]',
        '{"a": 1, "b": [0, {"name": "f", "parameters": {}}]}',
        "{}",
        "{",
        '<|python_tag|>print("Hello")',
    ],
)
def test_other_json_is_content(text: str) -> None:
    assert reading(text) == [text]


@pytest.mark.parametrize(
    ("text", "begins"), [('{"result": [1, 2', True), ('{"name": "Al', False), ('{"name": "Alice", "age": 7', True)]
)
def test_an_answer_in_json_that_a_limit_cuts_is_kept_where_it_can_be_no_call(text: str, begins: bool) -> None:
    assert read(text, LlamaFormat(), is_cut=True, f={}) == ([text] if begins else [])


def test_code_is_a_call_of_the_function_that_runs_it() -> None:
    text = '<|python_tag|>import os\nprint("é")\n'
    assert reading(text, python=STRING) == [("python", {"source": 'import os\nprint("é")\n'})]
    assert reading(text, code_interpreter={}) == [("code_interpreter", {"code": 'import os\nprint("é")\n'})]


def test_code_that_a_limit_cuts_is_part_of_a_call() -> None:
    assert read("<|python_tag|>print(1", LlamaFormat(), is_cut=True, python={}) == [("python", '{"code": "print(1')]
