"""Owns the way from drawn tokens to events: characters, stop strings, reasoning, tool calls. Must not know how tokens are drawn."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from engine.chat.answers.channels import ChannelParser
from engine.chat.reader.answer import Content, Piece, Reasoning
from engine.events import ChoiceFinished, Event, FinishReason, ReasoningDelta, TextDelta, TokenLogprob, ToolCallDelta
from engine.worker.answer_check import AnswerCheck
from engine.worker.detokenizer import Detokenizer
from engine.worker.stop_strings import StopStrings


class AnswerOutput:
    """Turns the token pieces of answer `index` into events, whatever their boundaries."""

    def __init__(
        self,
        index: int,
        *,
        stop: StopStrings,
        parser: ChannelParser | None,
        marks: Mapping[int, bytes] | None = None,
        check: AnswerCheck | None = None,
    ) -> None:
        """`parser` recognises reasoning and tool calls; None: all text is content. `marks`: control tokens that it looks for, as text.
        `check`: what the answer was promised to be."""
        self._marks = marks if marks and parser else {}
        self._index = index
        self._detokenizer = Detokenizer()
        self._stop_strings = stop
        self._parser = parser
        self._check = check
        self._decoded_length = 0
        self._released_length = 0
        self._logprobs: deque[tuple[int, int, TokenLogprob]] = deque()  # from where to where in the text, and what
        self._ends_with_call = False
        self._has_told = False
        self._undecided_tokens = 0
        self.hit_stop_string = False
        self.reasoning_tokens = 0
        self.thought_tokens = 0

    @property
    def is_reasoning(self) -> bool:
        """Whether the next token would belong to the model's thinking."""
        return self._parser is not None and self._parser.is_reasoning

    @property
    def may_have_called(self) -> bool:
        """Whether the model may have ended its thinking by calls."""
        return self._parser is not None and self._parser.may_be_calls

    @property
    def is_within_character(self) -> bool:
        """Whether the last token ended within a character."""
        return self._detokenizer.pending_bytes > 0

    @property
    def closing(self) -> str:
        """The mark that ends the model's thinking."""
        return self._parser.closing if self._parser else ""

    @property
    def rest_of_closing(self) -> str:
        """What is still to be written of it."""
        return self._parser.rest_of_closing if self._parser else ""

    def push(self, token: int, piece: bytes, logprob: TokenLogprob | None = None) -> Iterator[Event]:
        """The events that one more token makes certain."""
        was_reasoning = self.is_reasoning
        yield from self._pushed(token, piece, logprob)
        self._count(was_reasoning)

    def _count(self, was_reasoning: bool) -> None:
        """Counts the token just pushed. What turns out to have been the beginning of an opening mark is counted with the mark's end."""
        self.thought_tokens += was_reasoning
        self._undecided_tokens += 1
        if was_reasoning or self.is_reasoning:
            self.reasoning_tokens += self._undecided_tokens
        if was_reasoning or self.is_reasoning or self._has_told:
            self._undecided_tokens = 0

    def _pushed(self, token: int, piece: bytes, logprob: TokenLogprob | None) -> Iterator[Event]:
        self._has_told = False
        decoded = self._detokenizer.push(self._marks.get(token, piece))
        start = self._decoded_length
        self._decoded_length += len(decoded)
        if logprob is not None:
            completes_later = 1 if self._detokenizer.pending_bytes else 0
            self._logprobs.append((start, self._decoded_length + completes_later, logprob))
        text, self.hit_stop_string = self._stop_strings.push(decoded)
        yield from self._release(text)

    def finish(
        self, reason: FinishReason, *, completion_tokens: int, cumulative_logprob: float | None
    ) -> Iterator[Event]:
        """What is still held back, and the end. A complete tool call turns `stop` into `tool_calls`. Half a character that a limit cut is
        left out: it may belong to a mark. LlamaError if an answer that was not cut short is not what was promised."""
        half_character = self._detokenizer.flush()
        if not self.hit_stop_string:
            text, self.hit_stop_string = self._stop_strings.push("" if reason == "length" else half_character)
            yield from self._release(text)
        if not self.hit_stop_string:
            yield from self._release(self._stop_strings.flush())
            self._released_length = self._decoded_length + 1
        is_cut = reason == "length" or self.hit_stop_string
        yield from self._events(self._parser.finish(is_cut=is_cut) if self._parser else ())
        yield from self._left_over_logprobs()
        if self._check and reason == "stop" and not self.hit_stop_string:
            self._check.check()
        yield ChoiceFinished(
            index=self._index,
            finish_reason="tool_calls" if reason == "stop" and self._has_called() else reason,
            completion_tokens=completion_tokens,
            cumulative_logprob=cumulative_logprob,
        )

    def _has_called(self) -> bool:
        """Whether there are calls, and all of them complete: a stop string may stand within one."""
        return self._parser is not None and self._parser.complete_calls > 0 and not self._parser.has_cut_call

    def _release(self, text: str) -> Iterator[Event]:
        if not text:
            return
        self._released_length += len(text)
        yield from self._events(self._parser.feed(text) if self._parser else (Content(text),))

    def _events(self, pieces: Iterable[Piece]) -> Iterator[Event]:
        for piece in pieces:
            self._has_told = True
            self._ends_with_call = not isinstance(piece, Content)
            if self._check:
                self._check.note(piece)
            if isinstance(piece, Content):
                yield TextDelta(index=self._index, text=piece.text, logprobs=self._take_logprobs())
            elif isinstance(piece, Reasoning):
                self._take_logprobs()
                yield ReasoningDelta(index=self._index, text=piece.text)
            else:
                self._take_logprobs()
                yield ToolCallDelta(
                    index=self._index, call_index=piece.number, id=piece.id, name=piece.name, arguments=piece.arguments
                )

    def _take_logprobs(self) -> tuple[TokenLogprob, ...]:
        """Those of the tokens that end within the text released so far, or begin in it where a stop string cut the rest off."""
        taken = []
        while self._logprobs:
            start, end, logprob = self._logprobs[0]
            if end > self._released_length and not (self.hit_stop_string and start < self._released_length):
                break
            taken.append(logprob)
            self._logprobs.popleft()
        return tuple(taken)

    def _left_over_logprobs(self) -> Iterator[Event]:
        """Tokens without text of their own, at the very end, still have log probabilities to report; a call's markup has none."""
        logprobs = self._take_logprobs()
        if logprobs and not self._ends_with_call:
            yield TextDelta(index=self._index, text="", logprobs=logprobs)
