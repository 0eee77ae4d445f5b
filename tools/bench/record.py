"""What happened to one request: when which bytes came, and what they said.

Owns reading answers, streamed and whole. Must not know connections. Reading is apart from receiving: while a server is being measured on
the same processor cores, only a time is noted for what arrives, and it is read when the measurement is over.
"""

from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass
class Record:
    """What happened to one request; times are seconds of `time.perf_counter`.

    `piece_times`: when each event with content arrived (for an answer that is not streamed: when it was complete). `arrivals` holds what
    came and has not been read yet: call `read` before looking at anything but the times and the error. `counts_pieces`: the server
    gives no usage with streams, so that each piece counts as a token.
    """

    started: float
    streamed: bool = True
    ended: float = 0.0
    arrivals: list[tuple[float, bytes]] = field(default_factory=list)
    piece_times: list[float] = field(default_factory=list)
    text: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    accepted_prediction_tokens: int = 0
    error: str | None = None
    counts_pieces: bool = False
    _partial: bytes = b""

    def read(self) -> None:
        """Read what came since the last call. Of an answer that is not streamed all must have come."""
        arrivals = list(self.arrivals)
        self.arrivals.clear()  # it stays the list that the connection writes to
        try:
            if self.streamed:
                for moment, content in arrivals:
                    self._read_lines(moment, content)
            elif arrivals:
                self._read_whole(arrivals[-1][0], orjson.loads(b"".join(content for _, content in arrivals)))
        except (KeyError, TypeError, ValueError) as error:
            self.error = f"{type(error).__name__}: {error}"

    def finish(self) -> None:
        """Read the rest of an answer that has ended; one without the counts that were asked for is an error."""
        self.read()
        if self.counts_pieces and self.streamed and not self.completion_tokens:
            self.completion_tokens = len(self.piece_times)
        elif not self.error and not self.prompt_tokens:
            self.error = "the stream ended without usage" if self.streamed else "the answer has no usage"

    def _read_lines(self, moment: float, content: bytes) -> None:
        *lines, self._partial = (self._partial + content).split(b"\n")
        for line in lines:
            if line.startswith(b"data: {"):
                self._read_event(moment, orjson.loads(line[6:]))

    def _read_event(self, moment: float, event: dict[str, Any]) -> None:
        if event.get("error"):
            self.error = str(event["error"])[:200]
        if event.get("usage"):
            self._count(event["usage"])
        deltas = [choice["delta"] for choice in event.get("choices", ())]
        if any(_has_content(delta) for delta in deltas):
            self.piece_times.append(moment)
            self.text += "".join(delta.get("content") or "" for delta in deltas)

    def _read_whole(self, moment: float, answer: dict[str, Any]) -> None:
        self._count(answer["usage"])
        self.piece_times.append(moment)
        self.text = "".join((choice.get("message") or {}).get("content") or "" for choice in answer.get("choices", ()))

    def _count(self, usage: dict[str, Any]) -> None:
        """Takes the server's own token counts."""
        self.prompt_tokens = usage["prompt_tokens"]
        self.completion_tokens = usage.get("completion_tokens", 0)
        self.cached_tokens = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
        details = usage.get("completion_tokens_details") or {}
        self.accepted_prediction_tokens = details.get("accepted_prediction_tokens") or 0


def _has_content(delta: dict[str, Any]) -> bool:
    return bool(delta.get("content") or delta.get("reasoning_content") or delta.get("tool_calls"))
