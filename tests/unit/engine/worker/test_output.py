"""From drawn tokens to events: which log probabilities go with what."""

import pytest

from engine.chat.answers.formats import tool_format
from engine.chat.answers.reasoning import THINK, Thinking
from engine.chat.tool_formats.dsml import dsml_format
from engine.events import ChoiceFinished, ReasoningDelta, TextDelta, TokenLogprob, ToolCallDelta
from engine.worker.output import AnswerOutput
from engine.worker.stop_strings import StopStrings
from tests.unit.engine.chat.reading import parser

HERMES = "<tool_call>"
DSML = dsml_format("tool_calls")


def stopped(stop: str, *pieces: bytes) -> tuple[str, list[bytes]]:
    """The text of an answer of these tokens that ends at `stop`, and the tokens that have log probabilities."""
    output = AnswerOutput(0, stop=StopStrings((stop,)), parser=None)
    events = []
    for piece in pieces:
        if not output.hit_stop_string:
            events += output.push(0, piece, TokenLogprob(token_id=0, bytes=piece, logprob=-1.0))
    events += output.finish("stop", completion_tokens=len(pieces), cumulative_logprob=None)
    texts = [event for event in events if isinstance(event, TextDelta)]
    return "".join(e.text for e in texts), [logprob.bytes for e in texts for logprob in e.logprobs]


def told(*pieces: str) -> list[TextDelta | ToolCallDelta]:
    """The text and the calls that an answer of these tokens becomes, where tools are offered and log probabilities wanted."""
    output = AnswerOutput(0, stop=StopStrings(()), parser=parser(tool_format(HERMES)))
    events = [
        event
        for piece in pieces
        for event in output.push(0, piece.encode(), TokenLogprob(token_id=0, bytes=piece.encode(), logprob=-1.0))
    ]
    events += output.finish("stop", completion_tokens=len(pieces), cumulative_logprob=None)
    return [event for event in events if isinstance(event, TextDelta | ToolCallDelta)]


def test_the_markup_of_a_tool_call_leaves_no_log_probabilities() -> None:
    """What stands for a call is not text, neither before its arguments are complete nor after."""
    events = told("<tool_call>", "\n", '{"name": "f", "arguments": {}}', "\n", "</tool_call>")
    assert [type(event) for event in events] == [ToolCallDelta]


@pytest.mark.parametrize(
    ("stop", "texts", "calls", "reason"),
    [
        ("</tool_call>", "", ["{}"], "tool_calls"),
        ("_", "", [], "stop"),
        ('"', "", [], "stop"),
        ('g"', "", ["{}"], "tool_calls"),
        ("[1", "", ["{}", '{"a": '], "stop"),
    ],
)
def test_a_stop_string_within_a_call_leaves_no_markup_and_no_call_that_seems_complete(
    stop: str, texts: str, calls: list[str], reason: str
) -> None:
    reader = parser(tool_format(HERMES), is_certain=True)
    output = AnswerOutput(0, stop=StopStrings((stop,)), parser=reader)
    text = '<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>\n<tool_call>\n{"name": "g", "arguments": {"a": [1]}}\n</tool_call>'
    events = []
    for character in text:
        if not output.hit_stop_string:
            events += output.push(0, character.encode())
    *told, end = [*events, *output.finish("stop", completion_tokens=1, cumulative_logprob=None)]
    arguments: dict[int, str] = {}
    for event in told:
        if isinstance(event, ToolCallDelta):
            arguments[event.call_index] = arguments.get(event.call_index, "") + event.arguments
    assert "".join(event.text for event in told if isinstance(event, TextDelta)) == texts
    assert list(arguments.values()) == calls
    assert isinstance(end, ChoiceFinished)
    assert end.finish_reason == reason


@pytest.mark.parametrize("mark", [DSML.openings[0], ""])
def test_a_limit_that_cuts_within_a_character_leaves_nothing_of_it(mark: str) -> None:
    call = f"Well.{mark}é".encode()
    for length in range(len(b"Well.") + 1, len(call)):
        output = AnswerOutput(0, stop=StopStrings(()), parser=parser(DSML, is_certain=True))
        events = [
            *output.push(0, call[:length]),
            *output.finish("length", completion_tokens=1, cumulative_logprob=None),
        ]
        text = "".join(event.text for event in events if isinstance(event, TextDelta))
        assert text.removeprefix("Well.") in ("<", "")


def test_every_token_of_text_has_its_log_probability() -> None:
    events = told("Hel", "lo", " ", "there", " ")
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "Hello there "
    tokens = [logprob.bytes for event in events if isinstance(event, TextDelta) for logprob in event.logprobs]
    assert tokens == [b"Hel", b"lo", b" ", b"there", b" "]


def test_a_token_that_a_stop_string_cuts_has_its_log_probability() -> None:
    assert stopped("i", b" The", b" city", b"!") == (" The c", [b" The", b" city"])


def test_a_token_cut_by_a_stop_string_that_a_later_token_completes_has_its_log_probability() -> None:
    assert stopped("bc", b"ab", b"c") == ("a", [b"ab"])


def test_a_token_of_which_a_stop_string_leaves_no_text_has_no_log_probability() -> None:
    assert stopped("b", b"a", b"bc") == ("a", [b"a"])
    assert stopped("bcd", b"a", b"b", b"cde") == ("a", [b"a"])


def test_tokens_that_share_the_last_shown_character_both_have_their_log_probabilities() -> None:
    assert stopped("b", b"a\xe2\x82", b"\xacb") == ("a€", [b"a\xe2\x82", b"\xacb"])


def test_thinking_is_counted_in_tokens_up_to_its_closing_mark_which_may_be_a_control_token() -> None:
    thinking = Thinking(THINK, opened="<think>")
    output = AnswerOutput(0, stop=StopStrings(()), parser=parser(None, thinking), marks={7: b"</think>"})
    pieces = [(1, b"Hm"), (2, b", well."), (7, b""), (3, b"\n\nYes"), (4, b".")]
    events = [event for token, piece in pieces for event in output.push(token, piece)]
    assert "".join(event.text for event in events if isinstance(event, ReasoningDelta)) == "Hm, well."
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "Yes."
    assert output.reasoning_tokens == 3
