"""Mistral's calls are read in either generation's form, with the ids that their templates insist on."""

import re

import pytest

from engine.chat.reader.answer import CallPiece
from engine.chat.tool_formats.mistral import MistralFormat
from tests.unit.engine.chat.reading import Found, in_pieces, parser, pieces_of, read


@pytest.mark.parametrize("form", [MistralFormat(in_array=True), MistralFormat(), MistralFormat(with_ids=True)])
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('[TOOL_CALLS] [{"name": "f", "arguments": {}}]', [("f", {})]),
        ('[TOOL_CALLS][{"name": "f", "arguments": {}}', [("f", {})]),
        ('[TOOL_CALLS]{"name": "f", "arguments": {"x": 1}}\n{"name": "g"}', [("f", {"x": 1}), ("g", {})]),
        ('[TOOL_CALLS]f[ARGS]{"x": "[TOOL_CALLS]"}', [("f", {"x": "[TOOL_CALLS]"})]),
        ('Ok.[TOOL_CALLS] f [ARGS] {"x": 1}\n[TOOL_CALLS]g[CALL_ID]123456789[ARGS]{}', ["Ok.", ("f", {"x": 1}), ("g", {})]),
        ('[TOOL_CALLS]f[ARGS]{} Done.', [("f", {}), "Done."]),
        ('A [TOOL_CALLS] mark\n[TOOL_CALLS]f[ARGS]{}', ["A [TOOL_CALLS] mark", ("f", {})]),
        ('[TOOL_CALLS][]', ["[TOOL_CALLS][]"]),
        ('[TOOL_CALLS]f[ARGS]7', ["[TOOL_CALLS]f[ARGS]7"]),
        ('[TOOL_CALLS]' + "f" * 2000 + '[ARGS]{}', ['[TOOL_CALLS]' + "f" * 2000 + '[ARGS]{}']),
    ],
)  # fmt: skip
def test_calls_are_recognised_in_every_shape_that_models_write(form: MistralFormat, text: str, found: Found) -> None:
    assert read(text, form) == found
    assert read(in_pieces(text, 2), form) == found


def ids_of(text: str) -> list[str | None]:
    pieces = pieces_of(parser(MistralFormat()), list(text))
    return [piece.id for piece in pieces if isinstance(piece, CallPiece)]


@pytest.mark.parametrize(
    "text",
    [
        '[TOOL_CALLS][{"name": "f", "arguments": {}, "id": "abc123DEF"}, {"id": "abc123DEG", "name": "f"}]',
        "[TOOL_CALLS]f[CALL_ID]abc123DEF[ARGS]{}[TOOL_CALLS]f[CALL_ID]abc123DEG[ARGS]{}",
    ],
)
def test_the_ids_are_the_models(text: str) -> None:
    assert ids_of(text) == ["abc123DEF", "abc123DEG"]


def test_a_repeated_id_is_replaced() -> None:
    first, second = ids_of("[TOOL_CALLS]f[CALL_ID]abc123DEF[ARGS]{}[TOOL_CALLS]f[CALL_ID]abc123DEF[ARGS]{}")
    assert first == "abc123DEF" != second


@pytest.mark.parametrize("text", ['[TOOL_CALLS][{"name": "f"}]', "[TOOL_CALLS]f[ARGS]{}"])
def test_ids_that_the_model_left_out_have_nine_characters(text: str) -> None:
    [made] = ids_of(text)
    assert re.fullmatch("[a-zA-Z0-9]{9}", made or "")
