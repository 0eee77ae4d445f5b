"""Where nothing marks calls, JSON that calls an offered function is a call, and any other is not."""

import pytest

from engine.chat.answers.channels import ChannelParser, script
from engine.chat.reader.answer import Answer, Content
from engine.chat.tool_formats.form import ToolFormat
from engine.chat.tool_formats.generic import GenericFormat, ToldFormat
from tests.unit.engine.chat.reading import Found, in_pieces, pieces_of, read

F = '{"name": "f", "arguments": {"x": 1}}'
G = '{"name": "g", "parameters": {}}'
BOTH: Found = [("f", {"x": 1}), ("g", {})]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (F, BOTH[:1]),
        (f"{F}\n{G}", BOTH),
        (f"[{F}, {G}]", BOTH),
        (f"Sure.\n```json\n{F}\n```\n", ["Sure.", BOTH[0]]),
        (f"```\n[{F}, {G}]\n```", BOTH),
        (f"I call: {F} Done.", ["I call:", BOTH[0], "Done."]),
        (f"<tool_call>\n{F}\n</tool_call>\n<tool_call>{G}</tool_call>", BOTH),
        (f'{{"tool_call": {F}}}', BOTH[:1]),
        (f'{{"type": "function", "function": {F}}}', BOTH[:1]),
        ('{"name": "h", "arguments": {}}', ['{"name": "h", "arguments": {}}']),
        ('{"name": "Alice", "age": 7}', ['{"name": "Alice", "age": 7}']),
        ('{"name": "f"}', ['{"name": "f"}']),
        (f"[[{F}]]", [f"[[{F}]]"]),
        ("A [link](url), {braces} and ```py\ncode\n```", ["A [link](url), {braces} and ```py\ncode\n```"]),
        ('```json\n{"a": 1}\n```', ['```json\n{"a": 1}\n```']),
        ("<tool_call>hm</tool_call>", ["<tool_call>hm</tool_call>"]),
    ],
)
def test_calls_are_told_from_other_json(text: str, found: Found) -> None:
    offered: dict[str, object] = {"f": {}, "g": {}}
    assert read(text, GenericFormat(), **offered) == found
    assert read(in_pieces(text, 1), GenericFormat(), **offered) == found
    assert read(in_pieces(text, 5), GenericFormat(), **offered) == found


def test_json_that_a_limit_cuts_is_kept_where_it_can_be_no_call() -> None:
    assert read('{"result": [1, {"a": 2', GenericFormat(), is_cut=True, f={}) == ['{"result": [1, {"a": 2']
    assert read('{"name": "f", "arguments": {"x', GenericFormat(), is_cut=True, f={}) == [("f", '{"x')]
    for text in ('As JSON: {"name": "Bob", "ag', "So:\n``", 'Look: {"na', "A list: [", '```json\n{"name": "Bob'):
        assert read(text, GenericFormat(), is_cut=True, f={}) == [text]
        assert read(in_pieces(text, 1), GenericFormat(), is_cut=True, f={}) == [text]


@pytest.mark.parametrize(
    "unit",
    [
        '{"name": "f", "arguments": ',
        '{"type": {"type": ',
        '{"function": ',
        'x{"type": ' + "[" * 190,
        'x {"name": "f", "arguments": {"a": "',
        "[{",
    ],
)
@pytest.mark.parametrize("form", [GenericFormat(), ToldFormat()])
@pytest.mark.parametrize("is_cut", [False, True])
def test_the_work_grows_with_the_length_of_hostile_text_and_not_with_its_nesting(
    unit: str, form: ToolFormat, is_cut: bool
) -> None:
    reader = ChannelParser(script(None, form), answer := Answer(schemas={"f": {}}))
    text = unit * (100_000 // len(unit))
    told = "".join(piece.text for piece in pieces_of(reader, [text], is_cut=is_cut) if isinstance(piece, Content))
    assert is_cut or told == text
    assert answer.source.given_back_characters < 300_000


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"<tool_call>\n{F}\n</tool_call>", BOTH[:1]),
        (f"<tool_call>\n{F}\n{G}", BOTH),
        (f"So:\n```json\n{F}\n```", ["So:", BOTH[0]]),
        (f"{F}\n{G}", BOTH),
        ('{"name": "h", "arguments": {}}', ['{"name": "h", "arguments": {}}']),
    ],
)
def test_calls_that_were_told_of_in_words_may_lack_their_tags(text: str, found: Found) -> None:
    assert read(text, ToldFormat(), f={}, g={}) == found
    assert read(in_pieces(text, 1), ToldFormat(), f={}, g={}) == found
