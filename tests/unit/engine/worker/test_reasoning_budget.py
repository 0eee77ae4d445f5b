"""When thinking is ended, and with which tokens, on a vocabulary of bytes."""

from engine.chat.answers.reasoning import THINK, Thinking
from engine.chat.tool_formats.hermes import HermesFormat
from engine.worker.output import AnswerOutput
from engine.worker.reasoning_budget import ReasoningBudget
from engine.worker.stop_strings import StopStrings
from tests.unit.engine.chat.reading import parser


def answer(said: str = "", *, opened: str = "<think>", stop: tuple[str, ...] = ()) -> AnswerOutput:
    output = AnswerOutput(0, stop=StopStrings(stop), parser=parser(None, Thinking(THINK, opened)))
    push(output, said.encode())
    return output


def push(output: AnswerOutput, said: bytes) -> None:
    for byte in said:
        list(output.push(byte, bytes([byte])))


def budget(limit_tokens: int, *, spaced: bool = False) -> ReasoningBudget:
    """`spaced`: a text's tokens begin with a space, as many vocabularies have it."""
    return ReasoningBudget(
        limit_tokens, lambda text: list((" " * spaced + text).encode()), lambda token: bytes([token])
    )


def closing(limit: ReasoningBudget, output: AnswerOutput, *, may_follow: bool = True) -> str:
    return bytes(limit.closing(output, lambda tokens: may_follow)).decode()


def test_thinking_is_closed_when_it_has_its_tokens_and_not_before() -> None:
    assert closing(budget(3), answer("ab")) == ""
    assert closing(budget(3), answer("abc")) == "</think>"
    assert closing(budget(0), answer()) == "</think>"


def test_it_is_closed_once_for_each_thought() -> None:
    limit, output = budget(1), answer("a", stop=("</think>!",))
    push(output, closing(limit, output).encode())
    assert output.is_reasoning  # the stop string may still come
    assert closing(limit, output) == ""
    push(output, b"b")
    assert (output.is_reasoning, closing(limit, output)) == (False, "")


def test_a_call_begun_while_thinking_is_not_broken_off_and_what_goes_on_behind_it_is_closed() -> None:
    calls = parser(HermesFormat(), Thinking(THINK, "<think>"), is_certain=True)
    limit, output = budget(3), AnswerOutput(0, stop=StopStrings(()), parser=calls)
    push(output, b'Hm. <tool_call>{"name": "f",')
    assert closing(limit, output, may_follow=False) == ""
    push(output, b' "arguments": {}}</tool_call>')
    assert closing(limit, output) == ""  # with that the thinking may be over
    push(output, b"\n<tool")
    assert closing(limit, output) == ""
    push(output, b"box")
    assert closing(limit, output) == "</think>"


def test_only_thinking_is_closed() -> None:
    assert closing(budget(0), answer("hello", opened="")) == ""
    assert closing(budget(0), answer("<think>", opened="")) == "</think>"


def test_a_character_is_finished_first() -> None:
    output = answer()
    push(output, "é".encode()[:1])
    assert closing(budget(1), output) == ""
    push(output, "é".encode()[1:])
    assert closing(budget(1), output) == "</think>"


def test_what_the_model_has_written_of_the_mark_is_not_written_again_unless_the_vocabulary_cannot_go_on_there() -> None:
    assert closing(budget(1), answer("a</th")) == "ink>"
    assert closing(budget(1, spaced=True), answer("a</th")) == " </think>"


def test_every_token_of_the_marks_and_of_the_thought_is_counted_and_no_other() -> None:
    output = answer("\n<think>ab</think>\ncd", opened="")
    assert output.reasoning_tokens == len("\n<think>ab</think>")
    assert answer("<thin air", opened="").reasoning_tokens == 0
