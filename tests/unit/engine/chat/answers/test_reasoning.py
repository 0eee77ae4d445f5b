"""What a model thinks comes apart from what it answers, whatever the cuts, and nothing else is taken for thinking."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chat.answers.reasoning import (
    REASONING_FORMATS,
    THINK,
    ReasoningFormat,
    Thinking,
    closing_in,
    reasoning_format,
)
from engine.chat.tool_formats.hermes import HermesFormat
from tests.unit.engine.chat import reading
from tests.unit.engine.chat.reading import Found, in_pieces

CALL = '<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>'

snippets = st.sampled_from(["<think>", "</think>", "</thi", "<", "\n", " ", "text", "é🎉", CALL, "<tool_call>"])
answers = st.lists(snippets, max_size=10).map("".join)


def read(pieces: list[str], *, marks: ReasoningFormat = THINK, is_open: bool = False) -> Found:
    return reading.read(pieces, HermesFormat(), Thinking(marks, opened=marks.opening if is_open else ""))


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
    assert reasoning_format(template + "".join(marks.signs)) == marks
    thought = f"{marks.opening}a" if marks.is_said else "a"
    assert read([f"{marks.opening}a{marks.closing}b"], marks=marks) == [("reasoning", thought), "b"]


@pytest.mark.parametrize("marks", REASONING_FORMATS)
@given(st.data(), st.integers(min_value=1, max_value=9), st.booleans(), st.booleans())
def test_any_split_gives_the_same_parts_in_every_family(
    marks: ReasoningFormat, data: st.DataObject, size: int, is_open: bool, is_split: bool
) -> None:
    texts = [*marks.marks, marks.closing[:-1], CALL, "<tool_call>", "\n", " ", "text", "é🎉"]
    text = "".join(data.draw(st.lists(st.sampled_from(texts), max_size=8)))
    thinking = Thinking(marks, opened=marks.opening if is_open else "", is_split=is_split)
    whole = reading.read([text], HermesFormat(), thinking)
    assert reading.read(in_pieces(text, size), HermesFormat(), thinking) == whole


COMMAND_R = next(marks for marks in REASONING_FORMATS if marks.opening == "<|START_THINKING|>")
RESPONSE = next(marks for marks in REASONING_FORMATS if "<response>" in marks.answer_openings)
K3 = next(marks for marks in REASONING_FORMATS if marks.opening == "<|open|>think<|sep|>")


@pytest.mark.parametrize(
    ("marks", "text", "found"),
    [
        (COMMAND_R, "<|START_RESPONSE|>Yes.<|END_RESPONSE|>", ["Yes."]),
        (COMMAND_R, "<|START_THINKING|>Hm<|END_THINKING|>\n<|START_TEXT|> Yes.<|END_TEXT|>\n", [("reasoning", "Hm"), "Yes."]),
        (COMMAND_R, f"<|START_RESPONSE|>Yes.<|END_RESPONSE|>{CALL}", ["Yes.", ("f", {})]),
        (RESPONSE, "<think>Hm</think> <response>Yes.\n</response>\n", [("reasoning", "Hm"), "Yes."]),
        (RESPONSE, "Write </response> at the end, not <response>.", ["Write </response> at the end, not <response>."]),
        (RESPONSE, "<response>a </response> b</response>", ["a </response> b"]),
        (RESPONSE, "<response>cut </resp", ["cut </resp"]),
        (K3, "<|open|>response<|sep|>a<|close|>response<|sep|><|close|>message<|sep|>", ["a"]),
    ],
)  # fmt: skip
def test_marks_around_the_answer_itself_are_none_of_it(marks: ReasoningFormat, text: str, found: Found) -> None:
    assert read([text], marks=marks) == found


@pytest.mark.parametrize("is_open", [True, False])
@pytest.mark.parametrize("marks", REASONING_FORMATS)
def test_no_cut_by_a_limit_says_what_the_whole_answer_does_not(marks: ReasoningFormat, is_open: bool) -> None:
    around = "".join((*marks.answer_openings[:1], "the answer", *marks.answer_closings[:1]))
    text = f"{marks.opening}a thought{marks.closing}{around}"
    thinking = Thinking(marks, opened=marks.opening if is_open else "")
    whole = reading.read([text], HermesFormat(), thinking)
    for end in range(len(text)):
        cut = reading.read([text[:end]], HermesFormat(), thinking, is_cut=True)
        said = [part if isinstance(part, tuple) else ("content", part) for part in cut]
        expected = [part if isinstance(part, tuple) else ("content", part) for part in whole]
        assert all(a[0] == b[0] and b[1].startswith(a[1]) for a, b in zip(said, expected, strict=False)), text[:end]


GEMMA = next(marks for marks in REASONING_FORMATS if marks.opening == "<|channel>thought")


def test_a_mark_before_the_one_that_opens_a_thought_is_no_text() -> None:
    assert read(["<|channel><|channel>thought\nHm<channel|>Yes"], marks=GEMMA) == [("reasoning", "Hm"), "Yes"]
    assert read(["what <|channel> means"], marks=GEMMA) == ["what <|channel> means"]
    assert reading.read(["Yes<|channel>th"], None, Thinking(GEMMA), is_cut=True) == ["Yes"]


MISTRAL = next(marks for marks in REASONING_FORMATS if marks.opening == "[THINK]")


def test_a_model_may_think_again_between_calls_and_after_text_where_nothing_else_is_written_so() -> None:
    assert read([f"<think>a</think>{CALL}\n<think>b</think>c"]) == [
        ("reasoning", "a"),
        ("f", {}),
        ("reasoning", "b"),
        "c",
    ]
    assert read(["one [THINK]b[/THINK] two"], marks=MISTRAL) == ["one", ("reasoning", "b"), "two"]
    assert read(["the <think> tag"]) == ["the <think> tag"]


def test_a_call_ends_thinking_whose_closing_mark_never_comes() -> None:
    assert read([f"Look.\n{CALL}"], is_open=True) == [("reasoning", "Look."), ("f", {})]
    assert read([f"Like {CALL}? No.</think>no"], is_open=True) == [("reasoning", f"Like {CALL}? No."), "no"]
    cut = reading.read([f"Like {CALL}? N"], HermesFormat(), Thinking(THINK, opened="<think>"), is_cut=True)
    assert cut == [("reasoning", f"Like {CALL}? N")]
    for end in range(len(CALL)):
        begun = reading.read([f"Look.\n{CALL[:end]}"], HermesFormat(), Thinking(THINK, opened="<think>"), is_cut=True)
        assert begun[0] in (("reasoning", "Look."), ("reasoning", "Look.\n")), CALL[:end]
        assert begun[1:] in ([], [("f", "")], [("f", "{")], [("f", "{}")]), CALL[:end]


def test_a_mark_that_the_model_repeats_or_that_nobody_opened_is_no_text() -> None:
    assert read(["<think>\nHm</think>Yes"], is_open=True) == [("reasoning", "Hm"), "Yes"]
    assert read(["\n</think>\n\nYes"]) == ["Yes"]


def test_thinking_that_is_not_split_stays_in_the_content_with_its_marks_and_the_one_that_the_prompt_opened() -> None:
    unsplit = Thinking(THINK, opened="<think>\n", is_split=False)
    assert reading.read(["Hm.\n</think>\n\nYes"], None, unsplit) == ["<think>\nHm.\n</think>\n\nYes"]
    assert reading.read(["\n<think>a</think>b"], None, Thinking(THINK, is_split=False)) == ["\n<think>a</think>b"]


def test_an_opening_that_is_the_thought_s_first_sentence_belongs_to_it_also_where_the_prompt_has_it() -> None:
    marks = next(marks for marks in REASONING_FORMATS if marks.is_said)
    thinking = Thinking(marks, opened=marks.opened_by("<|begin_assistant|>\nHere are my reasoning steps:\n"))
    found = reading.read(["Hm.\n[BEGIN FINAL RESPONSE]\nYes.\n[END FINAL RESPONSE]"], None, thinking)
    assert found == [("reasoning", "Here are my reasoning steps:\nHm."), "Yes."]


@pytest.mark.parametrize(
    ("written", "missing"), [("Hm", "</think>"), ("Hm</", "think>"), ("Hm \n</think", ">"), ("<", "/think>")]
)
def test_what_is_missing_of_the_closing_mark_is_known_while_the_model_thinks(written: str, missing: str) -> None:
    reader = reading.parser(None, Thinking(THINK, opened="<think>"))
    reader.feed(written)
    assert (reader.is_reasoning, reader.rest_of_closing) == (True, missing)


@pytest.mark.parametrize(
    ("template", "closing"),
    [
        (r"{{ '<think>\n' + thoughts + '\n</think>\n\n' + content.split('</think>')[-1] }}", "\n</think>\n\n"),
        ("{{ '<think>' + thoughts + '</think>' }}", "</think>"),
        ("{{ '<think>' }}", "</think>"),
    ],
)
def test_thinking_is_closed_as_the_template_writes_it(template: str, closing: str) -> None:
    assert closing_in(template, THINK) == closing


@pytest.mark.parametrize(
    ("written", "missing"), [("Hm.", "\n</think>\n\n"), ("Hm.\n", "</think>\n\n"), ("Hm.\n</th", "ink>\n\n")]
)
def test_line_ends_before_the_closing_mark_are_not_doubled(written: str, missing: str) -> None:
    reader = reading.parser(None, Thinking(THINK, opened="<think>", closing="\n</think>\n\n"))
    reader.feed(written)
    assert reader.rest_of_closing == missing


def test_a_prompt_that_ends_behind_the_opening_mark_leaves_the_thinking_open() -> None:
    assert THINK.opened_by("<|im_start|>assistant\n<think>\n") == "<think>\n"
    assert not THINK.opened_by("<|im_start|>assistant\n<think>\n\n</think>\n\n")
    assert not THINK.opened_by("What does <think> mean?")
    assert THINK.opened_by("<think>\nWell, I", is_begun=True) == "<think>\nWell, I"
    assert not THINK.opened_by("<think>\nWell.\n</think>\nI", is_begun=True)


def test_a_template_without_marks_has_no_reasoning() -> None:
    assert reasoning_format("{{ messages }}") is None


@pytest.mark.parametrize("mark", ["", " <think>", "<think>\n"])
def test_a_mark_that_readers_could_not_find_behind_the_white_space_they_drop_is_refused(mark: str) -> None:
    with pytest.raises(ValueError, match="white space"):
        ReasoningFormat(mark, "</think>")
    with pytest.raises(ValueError, match="white space"):
        ReasoningFormat("<think>", mark)
