"""Calls whose function is named in plain text, in front of a mark: those of DeepSeek, Kimi K2 and functionary."""

import pytest

from engine.chat.reader.answer import CallPiece
from engine.chat.tool_formats.deepseek import CALL_BEGIN, CALL_END, CALLS_BEGIN, CALLS_END, NAME_END, DeepSeekFormat
from engine.chat.tool_formats.form import ToolFormat
from engine.chat.tool_formats.functionary import FunctionaryFormat
from engine.chat.tool_formats.kimi_k2 import KimiK2Format
from tests.unit.engine.chat.reading import Found, in_pieces, parser, pieces_of, read

BARE = f'{CALL_BEGIN}f{NAME_END}{{"x": 1}}{CALL_END}'
FENCED = f'{CALL_BEGIN}function{NAME_END}f\n```json\n{{"x": 1}}\n```{CALL_END}'
F: Found = [("f", {"x": 1})]
KIMI = '<|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{"x": 1}'
SECTION, KIMI_END = "<|tool_calls_section_begin|>", "<|tool_call_end|><|tool_calls_section_end|>"


def found_in(text: str, form: ToolFormat, **offered: object) -> Found:
    whole = read(text, form, **offered)
    assert read(in_pieces(text, 1), form, **offered) == whole
    assert read(in_pieces(text, 4), form, **offered) == whole
    return whole


@pytest.mark.parametrize("form", [DeepSeekFormat(), DeepSeekFormat(is_fenced=True)])
@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{CALLS_BEGIN}{BARE}{CALLS_END}", F),
        (f"{CALLS_BEGIN}{FENCED}{CALLS_END}", F),
        (f"{CALLS_BEGIN}{FENCED}\n{FENCED}{CALLS_END}", F * 2),
        (f"{CALLS_BEGIN}{BARE}{BARE}{CALLS_END}", F * 2),
        (f"{CALLS_BEGIN}\n{BARE}\n{BARE}\n{CALLS_END}\n", F * 2),
        (f"{CALLS_BEGIN}{FENCED.replace(chr(10) + '```<', '```<')}{CALLS_END}", F),
        (f"{CALLS_BEGIN}{BARE}", F),
        (f"{CALLS_BEGIN}{BARE.removesuffix(CALL_END)}", F),
        (BARE, F),
        (CALLS_BEGIN.replace("\u2581", "_") + BARE + CALLS_END, F),
        (f"So.{CALLS_BEGIN}{BARE}{CALLS_END} Done.", ["So.", *F, "Done."]),
        (f"{CALLS_BEGIN}hm", [f"{CALLS_BEGIN}hm"]),
        (f"{CALLS_BEGIN}{CALL_BEGIN}f{NAME_END}g", [f"{CALLS_BEGIN}{CALL_BEGIN}f{NAME_END}g"]),
        (f"{CALLS_BEGIN}{BARE}{CALL_BEGIN}?{CALLS_END}", [*F, f"{CALL_BEGIN}?{CALLS_END}"]),
    ],
)
def test_calls_of_deepseek_are_recognised_in_every_shape(form: DeepSeekFormat, text: str, found: Found) -> None:
    assert found_in(text, form) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{SECTION}{KIMI}{KIMI_END}", F),
        (f"Ok.{SECTION}\n{KIMI}<|tool_call_end|>\n{KIMI}\n{KIMI_END}\n", ["Ok.", *F, *F]),
        (f"{SECTION}{KIMI}{KIMI}", F * 2),
        (f"{KIMI}{KIMI}", F * 2),
        (f"{SECTION}{KIMI.replace('functions.f:0', 'f')}{KIMI_END}", F),
        (f"{SECTION}{KIMI.replace('functions.f:0', ' a.b:c:12 ')}{KIMI_END}", [("a.b:c", {"x": 1})]),
        (f"{SECTION}<|tool_calls_section_end|>", [f"{SECTION}<|tool_calls_section_end|>"]),
        (f"{SECTION}{KIMI}<|tool_call_end|> and", [*F, "and"]),
    ],
)
def test_calls_of_kimi_are_recognised_in_every_shape(text: str, found: Found) -> None:
    assert found_in(text, KimiK2Format()) == found


def test_the_ids_of_kimi_are_the_models() -> None:
    text = f"{SECTION}{KIMI}{KIMI.replace(':0', ':1')}{KIMI_END}"
    pieces = [piece for piece in pieces_of(parser(KimiK2Format()), list(text)) if isinstance(piece, CallPiece)]
    assert [piece.id for piece in pieces] == ["functions.f:0", "functions.f:1"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('<function=f>{"x": 1}</function>', F),
        ('Ok. <function=f>{"x": "</function>"}</function>\n<function=g>{}</function>', ["Ok.", ("f", {"x": "</function>"}), ("g", {})]),
        ('<function=f>{"x": 1}', F),
        ('<function=f> {"x": 1} </func', F),
        ("<function=f>", ["<function=f>"]),
        ("<function=f>text</function>", ["<function=f>text</function>"]),
        ('<|python_tag|>print("a")', [("python", {"code": 'print("a")'})]),
        ('<|python_tag|>{"code": "1"}', [("python", {"code": "1"})]),
        ("<|python_tag|>a = 1\n<function=g>{}</function>", [("python", {"code": "a = 1\n"}), ("g", {})]),
    ],
)  # fmt: skip
def test_calls_of_functionary_are_recognised_in_every_shape(text: str, found: Found) -> None:
    assert found_in(text, FunctionaryFormat()) == found


def test_code_is_content_where_nothing_runs_it() -> None:
    assert found_in("<|python_tag|>print(1)", FunctionaryFormat(), f={}) == ["<|python_tag|>print(1)"]
