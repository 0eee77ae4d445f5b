"""From drawn tokens to events: which log probabilities go with what."""

from engine.chat.channels import ChannelParser
from engine.chat.formats import tool_format
from engine.events import TextDelta, TokenLogprob, ToolCallDelta
from engine.worker.output import AnswerOutput
from engine.worker.stop_strings import StopStrings

HERMES = "<tool_call>"


def told(*pieces: str) -> list[TextDelta | ToolCallDelta]:
    """The text and the calls that an answer of these tokens becomes, where tools are offered and log probabilities wanted."""
    output = AnswerOutput(0, stop=StopStrings(()), parser=ChannelParser(tool_format(HERMES)))
    events = [
        event
        for piece in pieces
        for event in output.push(piece.encode(), TokenLogprob(token_id=0, bytes=piece.encode(), logprob=-1.0))
    ]
    events += output.finish("stop", completion_tokens=len(pieces), cumulative_logprob=None)
    return [event for event in events if isinstance(event, TextDelta | ToolCallDelta)]


def test_the_markup_of_a_tool_call_leaves_no_log_probabilities() -> None:
    """What stands for a call is not text, neither before its arguments are complete nor after."""
    events = told("<tool_call>", "\n", '{"name": "f", "arguments": {}}', "\n", "</tool_call>")
    assert [type(event) for event in events] == [ToolCallDelta]


def test_every_token_of_text_has_its_log_probability() -> None:
    events = told("Hel", "lo", " ", "there", " ")
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "Hello there "
    tokens = [logprob.bytes for event in events if isinstance(event, TextDelta) for logprob in event.logprobs]
    assert tokens == [b"Hel", b"lo", b" ", b"there", b" "]
