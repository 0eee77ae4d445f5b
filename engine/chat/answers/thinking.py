"""Reads what a model thinks.

Owns where thinking begins and ends, and the white space next to its marks, which belongs to neither side. A call ends thinking, too, where
no closing mark follows: some models forget it. Must not know any form of call, what stands between thoughts, nor tokens.
"""

from collections.abc import Callable, Iterable

from engine.chat.answers.reasoning import Thinking
from engine.chat.reader.answer import Answer
from engine.chat.reader.source import Marks, Reading


class ThinkingReader:
    """Reads the thinking of one answer. `call_openings`: what may stand in place of a closing mark; `are_calls`: whether a text that the
    limit cut is nothing but calls, as far as it goes."""

    def __init__(
        self, thinking: Thinking, answer: Answer, call_openings: Iterable[str], are_calls: Callable[[str], bool]
    ) -> None:
        self._are_calls = are_calls
        self._thinking = thinking
        self._answer = answer
        self._unsaid = ""
        marks = thinking.marks
        answer_openings = marks.answer_openings if marks.recurs else ()
        self._closing = Marks((marks.closing,))
        self._ends = Marks((marks.closing, *answer_openings, *call_openings))
        self._undecided = frozenset(call_openings)

    def read_start(self) -> Reading[None]:
        """The thinking that the answer begins with, if it does. A closing mark alone ends a thought that nobody opened."""
        source = self._answer.source
        if self._thinking.is_open:
            yield from self._read_thought(self._thinking.opened)
        elif not (yield from self.read_again()) and self._thinking.is_split:
            source.keep()
            yield from source.white_space()
            if (yield from source.accept(self._thinking.marks.closing)) is None:
                source.go_back()
            else:
                yield from source.white_space()
            source.release()

    def read_again(self) -> Reading[bool]:
        """The thinking that begins here, if it does."""
        source, opening = self._answer.source, self._thinking.marks.opening
        source.keep()
        space = yield from source.white_space()
        begins = (yield from source.accept(opening)) is not None
        if not begins:
            source.go_back()
        source.release()
        if begins:
            yield from self._read_thought(opening if self._thinking.is_split else space + opening)
        return begins

    def _read_thought(self, opening: str) -> Reading[None]:
        """From behind the opening mark up to what ends the thought, and the white space behind it."""
        answer, source, marks = self._answer, self._answer.source, self._thinking.marks
        is_split = self._thinking.is_split
        answer.is_reasoning, answer.closes_reasoning = True, self._thinking.closing or marks.closing
        self._unsaid = opening if marks.is_said or not is_split else ""
        if is_split and not marks.is_said:
            yield from self._skip_repeated_opening()
        end = yield from source.until(self._ends, self._say, trims=is_split)
        if end in self._undecided:
            end = yield from self._decide()
        if end == marks.closing:
            space = yield from source.white_space()
            source.take(len(end))
            if not is_split:
                self._say(space + end)
        answer.is_reasoning = False
        if is_split:
            yield from source.white_space()

    def _say(self, text: str) -> None:
        """A piece of the thought, or of the marks around it where these are told, too."""
        text, self._unsaid = self._unsaid + text, ""
        if self._thinking.is_split:
            self._answer.reasoning(text)
        else:
            self._answer.content(text)

    def _skip_repeated_opening(self) -> Reading[None]:
        """White space, and the opening mark where the model repeats what the prompt has."""
        source = self._answer.source
        yield from source.white_space()
        if self._thinking.is_open and (yield from source.accept(self._thinking.marks.opening)):
            yield from source.white_space()

    def _decide(self) -> Reading[str | None]:
        """What looks like a call is a thought about one where the closing mark follows; else it ends the thinking, and is left unread. If
        the limit cut the text before that could be told, it is a thought where it has more than calls."""
        answer, source = self._answer, self._answer.source
        source.keep()
        thought: list[str] = []
        answer.may_be_calls = lambda: self._are_calls("".join(thought) + source.rest)
        end = yield from source.until(self._closing, thought.append, trims=self._thinking.is_split)
        if end is not None or (source.is_cut and not self._are_calls("".join(thought))):
            self._say("".join(thought))
        else:
            source.go_back()
        source.release()
        answer.may_be_calls = lambda: False
        return end
