"""Owns how many tokens of prompts a step may take beside running answers, learnt from how long steps took.

A running answer shows nothing while a step computes, so a prompt that comes in is cut into pieces that fit a time. Pieces cost the prompt
itself something, for each takes the running answers along: they are therefore as large as the time allows, and never so small that the
answers get most of the step. Must not know sequences, slots or the model.
"""

from collections import deque
from statistics import median

from engine.worker.prompt_turns import PromptTurns

_REMEMBERED_STEPS = 5
"""A median over so few follows a prompt that grows dearer with its depth, and is not moved by one step that the machine held up."""
_LEAST_PROMPT_SHARE = 0.75
"""Of a step's time, where it is the running answers alone that take most of the target."""
_FIRST_PROMPT_TOKENS = 64
_LEAST_TOKENS = 16
_MANY_ROWS = 64
"""llama.cpp's processor kernels take rows by fours, and from some on by sixteens: 62 were measured to take a third longer than 64.
With fewer its attention takes a slower way, too, which behind 1,600 tokens makes each token of a prompt take four times as long."""
_WIDE_STEP_TARGETS = 3.0
"""A step of so many rows may take so many times the target, where a narrower one costs much more a token:"""
_DEARER = 1.2
_OWN_STEP_TARGETS = 1.5
"""And so many times where prompts have steps of their own, which each wait for the weights: few are better."""


class StepPace:
    """Sizes the prompt part of a step so that the step takes about `target_seconds`, at most `batch_tokens` in all."""

    def __init__(self, *, target_seconds: float, batch_tokens: int) -> None:
        self._target_seconds = target_seconds
        self.batch_tokens = batch_tokens
        self._turns = PromptTurns()
        self._allowed_tokens = 0
        self._answer_seconds: deque[float] = deque(maxlen=_REMEMBERED_STEPS)
        self._prompt_token_seconds: deque[float] = deque(maxlen=_REMEMBERED_STEPS)
        self._wide_token_seconds = 0.0
        self._narrow_token_seconds = 0.0
        self._doubts_narrow = False
        self._is_narrow_dear = False

    def __repr__(self) -> str:
        return f"StepPace({self._answers_take:.4f}s + {self._prompt_token_takes or 0:.6f}s/token)"

    @property
    def prompt_token_seconds(self) -> float | None:
        """What a token of a prompt takes to compute; None while no prompt was."""
        return self._prompt_token_takes

    @property
    def takes_turns(self) -> bool:
        """Whether prompts are computed in steps of their own while answers are being generated."""
        return self._turns.takes_turns

    def prompt_tokens(self, answer_tokens: int, *, waiting_tokens: int = 0) -> int:
        """The most prompt tokens of a step while `answer_tokens` are to be computed for running answers, in it or in the one before;
        without any, as many as fit. `waiting_tokens`: of all prompts."""
        beside = 0 if self.takes_turns else answer_tokens
        room = self.batch_tokens - beside
        if not answer_tokens or room <= _LEAST_TOKENS:
            return room
        affordable = self._affordable_tokens()
        rows = min(max(affordable + beside, self._least_rows), self.batch_tokens)
        liked = 16 if rows >= _MANY_ROWS else 4
        self._allowed_tokens = max(rows // liked * liked - beside, _LEAST_TOKENS)
        most = min(int(_OWN_STEP_TARGETS * affordable), self.batch_tokens)
        if self.takes_turns and self._allowed_tokens < waiting_tokens <= most:
            return waiting_tokens  # the rest by itself would be a narrow step
        return self._allowed_tokens

    def padded(self, rows: int) -> int:
        """How many rows a step with so many is best computed with, some of a prompt among them: its last piece may be a narrow one."""
        is_worth_it = self._is_narrow_dear and 2 * _LEAST_TOKENS <= rows < _MANY_ROWS <= self.batch_tokens
        return _MANY_ROWS if is_worth_it else rows

    def note(self, *, answer_tokens: int, prompt_tokens: int, seconds: float, answers_wait: bool = False) -> None:
        """A step with so many tokens took so long. `answers_wait`: it had none of the running answers' tokens."""
        if not prompt_tokens:
            self._answer_seconds.append(seconds)
        elif prompt_tokens >= _LEAST_TOKENS:
            # What the answers took was seen in other steps, maybe in quieter times: the prompt has at least half of this one.
            spent = max(seconds - self._answers_take, seconds / 2) if answer_tokens else seconds
            self._prompt_token_seconds.append(spent / prompt_tokens)
            self._compare_widths(spent / prompt_tokens, is_wide=answer_tokens + prompt_tokens >= _MANY_ROWS)
            is_last_piece = prompt_tokens < self._allowed_tokens // 2
            if (answer_tokens or answers_wait) and self._answer_seconds and not is_last_piece:
                self._turns.note(spent / prompt_tokens, in_turn=answers_wait)

    @property
    def _least_rows(self) -> int:
        """As many as are computed with less effort each, where fewer were seen to take more, unless that takes too long."""
        targets, token_seconds = 0.0, self._wide_token_seconds
        if self._doubts_narrow or self._is_narrow_dear:
            targets = _WIDE_STEP_TARGETS
        elif self.takes_turns:
            targets, token_seconds = _OWN_STEP_TARGETS, self._prompt_token_takes or 0.0
        return _MANY_ROWS if self._answers_take + token_seconds * _MANY_ROWS <= targets * self._target_seconds else 0

    def _compare_widths(self, token_seconds: float, *, is_wide: bool) -> None:
        """Tokens grow dearer with depth anyway: a narrow step that cost more than a wide one is judged by the wide one that follows it."""
        if not is_wide:
            self._narrow_token_seconds = token_seconds
            self._doubts_narrow = 0 < self._wide_token_seconds < token_seconds / _DEARER
            return
        self._wide_token_seconds = token_seconds
        if self._doubts_narrow:
            self._is_narrow_dear = self._narrow_token_seconds > _DEARER * token_seconds
            self._doubts_narrow = False

    @property
    def _answers_take(self) -> float:
        return median(self._answer_seconds) if self._answer_seconds else 0.0

    @property
    def _prompt_token_takes(self) -> float | None:
        return median(self._prompt_token_seconds) if self._prompt_token_seconds else None

    def _affordable_tokens(self) -> int:
        each = self._prompt_token_takes
        if each is None:
            return _FIRST_PROMPT_TOKENS
        answers = self._answers_take
        least = answers * _LEAST_PROMPT_SHARE / (1 - _LEAST_PROMPT_SHARE)
        return int(max(self._target_seconds - answers, least) / max(each, 1e-9))
