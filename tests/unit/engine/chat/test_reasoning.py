"""What a model thinks comes apart from what it answers, whatever the cuts, and nothing else is taken for thinking."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chat.reasoning import REASONING_FORMATS, ReasoningFormat, Thinking, reasoning_format
from engine.chat.tool_formats.hermes import HermesFormat
from tests.unit.engine.chat import reading
from tests.unit.engine.chat.reading import Found, in_pieces

THINK = REASONING_FORMATS[0]
CALL = '<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>'

snippets = st.sampled_from(["<think>", "</think>", "</thi", "<", "\n", " ", "text", "é🎉", CALL, "<tool_call>"])
answers = st.lists(snippets, max_size=10).map("".join)


def read(pieces: list[str], *, marks: ReasoningFormat = THINK, is_open: bool = False) -> Found:
    return reading.read(pieces, HermesFormat(), Thinking(marks, is_open=is_open))


@given(answers, st.integers(min_value=1, max_value=9), st.booleans())
def test_any_split_gives_the_same_parts(text: str, size: int, is_open: bool) -> None:
    assert read(in_pieces(text, size), is_open=is_open) == read([text], is_open=is_open)


@pytest.mark.parametrize(
    ("text", "is_open", "found"),
    [
        ("<think>\nHm. Well.\n</think>\n\nParis.", False, [("reasoning", "Hm. Well."), "Paris."]),
        ("Hm.\n</think>\n\nParis.", True, [("reasoning", "Hm."), "Paris."]),
        ("\n<think></think>Paris.", False, ["Paris."]),
        ("<think>cut by the limit", False, [("reasoning", "cut by the limit")]),
        ("<think>a </thin b</think>c", False, [("reasoning", "a </thin b"), "c"]),
        (f"<think>call it</think>\n{CALL}", False, [("reasoning", "call it"), ("f", {})]),
        (f"<think>not {CALL} yet</think>no", False, [("reasoning", f"not {CALL} yet"), "no"]),
        ("Paris. <think>late</think>", False, ["Paris. <think>late</think>"]),
        ("a </think> b", False, ["a </think> b"]),
        ("  plain", False, ["  plain"]),
        ("<thin", False, ["<thin"]),
    ],
)  # fmt: skip
def test_thinking_is_what_stands_between_the_marks_at_the_beginning(text: str, is_open: bool, found: Found) -> None:
    assert read([text], is_open=is_open) == found


@pytest.mark.parametrize("marks", REASONING_FORMATS)
def test_every_family_s_marks_are_known_from_its_template(marks: ReasoningFormat) -> None:
    template = f"{{% for m in messages %}}{marks.opening}{{{{ m.reasoning_content }}}}{marks.closing}{{% endfor %}}"
    assert reasoning_format(template) == marks
    assert read([f"{marks.opening}a{marks.closing}b"], marks=marks) == [("reasoning", "a"), "b"]


def test_a_prompt_that_ends_behind_the_opening_mark_leaves_the_thinking_open() -> None:
    assert THINK.is_open_at_end_of("<|im_start|>assistant\n<think>\n")
    assert not THINK.is_open_at_end_of("<|im_start|>assistant\n<think>\n\n</think>\n\n")


def test_a_template_without_marks_has_no_reasoning() -> None:
    assert reasoning_format("{{ messages }}") is None
